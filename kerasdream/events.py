"""What a run tells while it goes: to the progress display, to outputs, to whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.plan.plan import Plan
    from kerasdream.result import Result
    from kerasdream.schedules import Progress


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
