"""The events of a run, for the progress display, outputs and callers."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import yaml

from kerasdream import images
from kerasdream._files import at_home
from kerasdream.errors import OutputError

if TYPE_CHECKING:
    from kerasdream.plan.plan import Plan
    from kerasdream.schedules import Progress

__all__ = ["Event", "Finished", "Result", "Started", "Stepped"]


@dataclass(frozen=True)
class Started:
    """A picture is about to be dreamed, from the start or, when resuming, from a later octave and step.

    In a run of several frames, each frame is reported as a picture.

    Attributes:
        frame, frames: index of the frame, from 0, and their number.
    """

    name: str
    plan: Plan
    octave: int = 0
    step: int = 0
    frame: int = 0
    frames: int = 1


@dataclass(frozen=True)
class Stepped:
    """A step of the ascent is done.

    Attributes:
        progress: octave, step and their counts.
        shape: (height, width) of the octave.
        score: the weighted sum that is maximised, before the step.
        scores: each objective and energy by name, unweighted, before the step.
        picture: returns the current picture, ``(height, width, 3)`` float32 in [-1, 1].
        last: whether it is the octave's last step; an octave may end before its planned number of steps.
    """

    progress: Progress
    shape: tuple[int, int]
    score: float
    scores: Mapping[str, float]
    picture: Callable[[], np.ndarray]
    last: bool = False


@dataclass(frozen=True)
class Result:
    """A finished dream; in a run of several frames, one frame. A notebook shows it.

    Attributes:
        image: ``(height, width, 3)`` float32 RGB in [-1, 1].
        scores: the weighted score before each step, in order.
        timings: seconds: ``load``; ``dream`` (all steps), which includes ``gradient`` (the gradient calls),
            ``first_step`` (the first such call, with its trace), ``ascent`` (ascent rules and projections) and
            ``resize`` (the start of each octave); ``total``. Empty if the dream was already finished and ``image`` was
            read from its file. In a run of several frames, those of the last frame, except ``total``, which covers all.
        manifest: the resolved recipe, versions and facts of the run, as plain data.
        alpha: the source's alpha channel, ``(height, width)`` float32 in [0, 1], or None.
        name: the source's base name.
        paths: the files written.
        interrupted: whether it was stopped early; ``image`` is then the state at that point.
        peak_memory: the process's peak memory in bytes; None where the system does not report it.
        notes: messages for the user.
        dpi: the source's dots per inch for printing, across and down, if it has any.
        source: the photo it started from, ``(height, width, 3)`` uint8 or float32 in [-1, 1]; None if the dream was
            read from its file.
        attribution: how strongly the objectives pulled at each pixel, ``(height, width)`` float32, 0 or more: the sum
            over steps and colours of |∂ objectives / ∂ picture|, times the pixels of the octave. ``images.opacity``
            makes an alpha channel of it. None unless it was asked for.
    """

    image: np.ndarray = field(repr=False)
    scores: tuple[float, ...] = field(repr=False)
    timings: Mapping[str, float]
    manifest: Mapping[str, Any] = field(repr=False)
    alpha: np.ndarray | None = field(default=None, repr=False)
    name: str = ""
    paths: tuple[Path, ...] = ()
    interrupted: bool = False
    peak_memory: int | None = None
    notes: tuple[str, ...] = ()
    dpi: tuple[float, float] | None = None
    source: np.ndarray | None = field(default=None, repr=False)
    attribution: np.ndarray | None = field(default=None, repr=False)

    def alpha_from(self, what: Literal["source", "attribution"]) -> np.ndarray | None:
        """Return ``alpha``, or with ``"attribution"`` that of a dream one can see through, ``images.opacity``.

        What is transparent in the source stays transparent.

        Raises:
            OutputError: there is no attribution.
        """
        if what == "source":
            return self.alpha
        if self.attribution is None:
            raise OutputError("this result has no attribution; pass attribution=True to kerasdream.dream")
        opacity = images.opacity(self.attribution)
        return opacity if self.alpha is None else opacity * self.alpha

    @property
    def recipe(self) -> str:
        """The manifest as YAML, as embedded in a finished picture."""
        return str(yaml.safe_dump(dict(self.manifest), sort_keys=False, allow_unicode=True))

    def to_uint8(self) -> np.ndarray:
        """Return the picture as ``(height, width, 3)`` uint8, rounded once."""
        return images.to_uint8(self.image)

    def save(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        quality: int = 92,
        alpha: Literal["source", "attribution"] = "source",
    ) -> Path:
        """Write the picture with its recipe inside, atomically, and return its path.

        Args:
            path: its suffix chooses the format: ``.png``, ``.tif`` and ``.tiff`` are lossless, ``.jpg``, ``.jpeg`` and
                ``.webp`` are not. All but JPEG keep alpha.
            overwrite: whether an existing file is replaced.
            quality: of a JPEG or WebP, 1 to 100.
            alpha: see ``alpha_from``.

        Raises:
            OutputError: the suffix is another one, the file exists, it cannot be written, or there is no attribution.
        """
        path = at_home(path)
        format = images.format_of(path)
        if path.exists() and not overwrite:
            raise OutputError(f"{path} exists; pass overwrite=True to replace it, or choose another name")
        channel = self.alpha_from(alpha)
        images.save(path, self.image, alpha=channel, recipe=self.recipe, format=format, quality=quality, dpi=self.dpi)
        return path

    def _repr_html_(self) -> str:
        """Return the picture before and after, the course of the score, notes and recipe: what a notebook shows."""
        seconds = f"dreamed in {self.timings['dream']:.1f} s" if "dream" in self.timings else "already done"
        facts = ["interrupted: this is how far it got"] if self.interrupted else [seconds]
        return images.as_html(
            self.image,
            before=self.source,
            alpha=self.alpha,
            name=self.name,
            scores=self.scores,
            facts=[*facts, *(f"note: {note}" for note in self.notes), *(f"written: {path}" for path in self.paths)],
            recipe=self.recipe if self.manifest else "",
        )


@dataclass(frozen=True)
class Finished:
    """The picture is finished, or was interrupted and is returned as it was at that point.

    Attributes:
        frame, frames: index of the frame, from 0, and their planned number.
    """

    result: Result
    frame: int = 0
    frames: int = 1

    @property
    def last(self) -> bool:
        """Whether it is the run's last event: for the last frame, or after an interruption."""
        return self.frame == self.frames - 1 or self.result.interrupted


Event = Started | Stepped | Finished
