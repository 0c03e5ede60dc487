"""The faults kerasdream knows: each is one clear message for the user, never a traceback."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class KerasdreamError(Exception):
    """A known fault. The message says what happened, what was expected and what to do (exit code 1)."""


class ConfigError(KerasdreamError):
    """A run file, an override or a Python call that asks for something impossible; lists every fault found."""


class ImageError(KerasdreamError):
    """A picture that cannot be read or used."""


class ModelError(KerasdreamError):
    """A network that cannot be built, loaded or dreamed with."""


class OutputError(KerasdreamError):
    """A file that cannot be written."""


class PluginError(KerasdreamError):
    """A plugin that cannot be loaded or that failed; the message names it."""


class DreamError(KerasdreamError):
    """A run that cannot go on: a gradient that is not finite, or is exactly zero."""


class NoResponseError(DreamError):
    """Nothing in the picture excites what is asked for: the gradient is exactly zero in every octave."""


class MemoryRanOutError(DreamError):
    """There was not enough memory for a step; with smaller views there may be."""


def did_you_mean(name: str, options: Iterable[str], show: int = 12) -> str:
    """Returns ``"did you mean 'x'?"`` for the nearest of ``options``, or lists the first ``show`` of them."""
    options = list(options)
    near = difflib.get_close_matches(name, options, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    listed = ", ".join(options[:show]) + (", ..." if len(options) > show else "")
    return f"there are: {listed}" if options else "there are none"
