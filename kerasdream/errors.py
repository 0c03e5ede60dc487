"""The errors kerasdream raises on purpose: each is one clear message for the user, shown without a traceback."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import NamedTuple

LINE, LINES, SCREEN = 1000, 40, 3400
"""Most bytes of a line, lines and bytes of a message."""

_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that control a terminal or the direction of writing, except tabs and the ends of lines, and halves of a
character, which cannot be written at all."""


def printable(text: str) -> str:
    """Return a text with the characters that control a terminal written as escapes: ``\\x1b``."""
    return _CONTROL.sub(lambda match: ascii(match[0])[1:-1], text)


def shortened(text: str, most: int = LINE) -> str:
    """Return a text of at most ``most`` bytes of UTF-8: its middle is left out if it is longer."""
    data = text.encode(errors="backslashreplace")
    if len(data) <= most:
        return text
    start, end = data[: most * 2 // 3].decode(errors="ignore"), data[5 - most // 3 :].decode(errors="ignore")
    return f"{start} ... {end}"


def on_a_screen(text: str) -> str:
    """Return a message that is printable and no longer than a screen: long lines without their middle."""
    lines = [shortened(line) for line in printable(text).split("\n")]
    kept: list[str] = []
    for line in lines:
        if kept and (len(kept) == LINES or sum(len(each.encode()) + 1 for each in [*kept, line]) > SCREEN):
            return "\n".join([*kept, f"... and {len(lines) - len(kept):,} more lines like these"])
        kept.append(line)
    return "\n".join(kept)


class Place(NamedTuple):
    """Where a setting was made: a file, with line and column from 1 if they are known, or an option such as ``-s``."""

    name: str
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        name = shortened(self.name, 400)
        return name if self.line is None else f"{name}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One error in a run file.

    Attributes:
        path: the keys and indices that lead to the value, ``("octaves", "steps")``; empty for the whole file.
        text: what is wrong, what was expected and what to do.
    """

    path: tuple[str | int, ...]
    place: Place
    text: str

    def __str__(self) -> str:
        return ": ".join(filter(None, [str(self.place), ".".join(map(str, self.path)), self.text]))


class KerasdreamError(Exception):
    """An expected error. The message says what happened, what was expected and what to do (exit code 1).

    It fits on a screen, and whatever of a file it quotes cannot control a terminal: see ``on_a_screen``.
    """

    def __str__(self) -> str:
        return on_a_screen(super().__str__())


class ConfigError(KerasdreamError):
    """A run file, override or Python call is invalid; the message lists every error found.

    Attributes:
        problems: the same errors with their places, if a run file was validated.
    """

    def __init__(self, message: str, problems: Iterable[Problem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems)

    @classmethod
    def of(cls, problems: Iterable[Problem]) -> ConfigError:
        """Return an error that lists each of ``problems`` on a line."""
        problems = tuple(problems)
        return cls("\n".join(map(str, problems)), problems)


class ImageError(KerasdreamError):
    """A picture cannot be read or used."""


class ModelError(KerasdreamError):
    """A network cannot be built, loaded or dreamed with."""


class ModelEntryError(ModelError):
    """What a model entry says about its network is wrong, or it lacks something: its place belongs into the message."""


class OneSizeError(ModelError):
    """The layers that objectives look at can only follow from pictures of the network's own size, not from tiles.

    Attributes:
        side: height and width of these pictures.
    """

    side: int

    @classmethod
    def of(cls, name: str, side: int, reason: str = "") -> OneSizeError:
        """Return the error of a network with this name that takes pictures of ``side``² pixels."""
        cause = f" ({reason})" if reason else ""
        error = cls(
            f"the model {name!r} computes these layers from pictures of {side}×{side} pixels only, not from tiles"
            f"{cause}; let it look at crops: views: crops"
        )
        error.side = side
        return error


class OutputError(KerasdreamError):
    """A file cannot be written."""


class PluginError(KerasdreamError):
    """A plugin cannot be loaded, or failed; the message names it."""


class DreamError(KerasdreamError):
    """A run cannot continue: the gradient is not finite, or exactly zero."""


class NoResponseError(DreamError):
    """The gradient is exactly zero in every octave: the objectives do not respond to the picture."""


class MemoryRanOutError(DreamError):
    """A step did not fit into memory; smaller tiles may help."""


_COMMAND_LINE = ContextVar("_COMMAND_LINE", default=False)


@contextmanager
def on_command_line() -> Iterator[None]:
    """Within the block, ``setting`` names options of the command line."""
    token = _COMMAND_LINE.set(True)
    try:
        yield
    finally:
        _COMMAND_LINE.reset(token)


def setting(option: str, argument: str) -> str:
    """Return what a message tells the user to set: the option on the command line, the argument in Python."""
    return option if _COMMAND_LINE.get() else argument


def did_you_mean(name: str, options: Iterable[str], show: int = 12) -> str:
    """Return ``"did you mean 'x'?"`` for the nearest of ``options``, or list the first ``show`` of them."""
    options = list(options)
    same = [option for option in options if _letters(option) == _letters(name)]
    near = same or difflib.get_close_matches(name, options, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(repr(n) for n in near) + "?"
    listed = ", ".join(options[:show]) + (", ..." if len(options) > show else "")
    return f"available: {listed}" if options else "none available"


def _letters(name: str) -> str:
    """Return a name without case, hyphens and underscores: ``ResNet-50`` → ``resnet50``."""
    return re.sub(r"[-_ ]", "", name).casefold()
