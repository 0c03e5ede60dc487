"""What a run tells while it goes: to the progress display, to outputs, to whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.plan.plan import Plan
    from kerasdream.schedules import Progress

__all__ = ["Event", "Finished", "Result", "Started", "Stepped"]


@dataclass(frozen=True)
class Started:
    """A picture is about to be dreamed, from the start or, if it is resumed, from a later octave and step.

    In a run of several frames each of them is a picture, told of in turn.

    Attributes:
        frame, frames: which frame it is, from 0, and how many there are to be.
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
        score: the weighted sum that is ascended, as it was before the step.
        scores: each objective and energy by name, unweighted, before the step.
        picture: returns the present picture, ``(height, width, 3)`` float32 in [-1, 1].
        last: whether it is the octave's last step; an octave may be left before the last one planned.
    """

    progress: Progress
    shape: tuple[int, int]
    score: float
    scores: Mapping[str, float]
    picture: Callable[[], np.ndarray]
    last: bool = False


@dataclass(frozen=True)
class Result:
    """A dream; of a run of frames, one of them, or the last.

    Attributes:
        image: ``(height, width, 3)`` float32 RGB in [-1, 1].
        scores: the weighted score before each step, in order.
        timings: seconds: ``load``, ``dream`` (all steps), of which ``gradient`` in the gradient call, ``first_step`` in
            the first such call (its trace included), ``ascent`` in the ascent rules and projections, ``resize`` for the
            beginnings of octaves; ``total``; none if it was finished already, and ``image`` is read from its file. Of a
            run of frames: those of the last one, but ``total``, which is that of all.
        manifest: the resolved recipe, versions and facts of the run, plain data.
        alpha: the source's alpha channel, ``(height, width)`` float32 in [0, 1], or None.
        name: the source's base name.
        paths: the files written.
        interrupted: whether it was stopped early; ``image`` is then as far as it got.
        peak_memory: the most bytes this process had in memory by the end; None where the system does not tell.
        notes: what the user should hear.
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

    @property
    def recipe(self) -> str:
        """The manifest as YAML, as it stands inside a finished picture."""
        import yaml

        return yaml.safe_dump(dict(self.manifest), sort_keys=False, allow_unicode=True)

    def to_uint8(self) -> np.ndarray:
        """The picture as ``(height, width, 3)`` uint8, rounded once."""
        from kerasdream.images import to_uint8

        return to_uint8(self.image)


@dataclass(frozen=True)
class Finished:
    """The picture is done (or was interrupted and keeps what it had).

    Attributes:
        frame, frames: which frame it is, from 0, and how many there were to be.
    """

    result: Result
    frame: int = 0
    frames: int = 1

    @property
    def last(self) -> bool:
        """Whether nothing follows: it is the last frame, or the run was interrupted."""
        return self.frame == self.frames - 1 or self.result.interrupted


Event = Started | Stepped | Finished
