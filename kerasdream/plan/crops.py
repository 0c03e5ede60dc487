"""Random windows of the picture, of the size the network was trained on, as an alternative to tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, NamedTuple


class Box(NamedTuple):
    """A window of a picture, in pixels."""

    top: int
    left: int
    height: int
    width: int


@dataclass(frozen=True)
class Windows:
    """How windows are drawn.

    Attributes:
        size: height and width at which the network sees a window.
        count: windows in each step.
        spread: standard deviation of a window's offset from the middle, as a fraction of the room it has.
        side: side of a window as a fraction of the picture's shorter side, a number or a schedule; None: ``size``
            pixels.
    """

    size: int
    count: int = 1
    spread: float = 0.3
    side: Any = None

    @property
    def area(self) -> int:
        """Pixels that the network sees in each step."""
        return self.count * self.size**2

    def boxes(self, shape: tuple[int, int], random: Random, side: float | None = None) -> list[Box]:
        """Draw the windows of one step.

        Args:
            shape: height and width of the picture.
            side: the current value of ``side``. A window is square and never larger than the picture.
        """
        shorter = min(shape)
        length = min(shorter, self.size if side is None else max(1, round(side * shorter)))

        def offset(room: int) -> int:
            return int(min(max(random.gauss(room / 2, self.spread * room), 0), room))

        return [Box(offset(shape[0] - length), offset(shape[1] - length), length, length) for _ in range(self.count)]


def around(boxes: Sequence[Box]) -> tuple[slice, slice]:
    """Return the rows and columns from the first to the last that a window covers."""
    return (
        slice(min(box.top for box in boxes), max(box.top + box.height for box in boxes)),
        slice(min(box.left for box in boxes), max(box.left + box.width for box in boxes)),
    )
