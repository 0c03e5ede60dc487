"""Random windows of the picture, of the size the network was trained on, as an alternative to tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from random import Random
from typing import Any, NamedTuple

from kerasdream.plan.panels import Panels

LEAST = 0.85
"""Smallest side, relative to the usual one, of windows that cover the picture. It changes from step to step, so that
the network's grid of patches, which leaves its pattern where it lies, lies elsewhere each time."""


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
        count: windows in each step; None: as many as cover the picture, in a grid that starts anywhere.
        spread: standard deviation of a window's offset from the middle, as a fraction of the room it has.
        side: side of a window as a fraction of the picture's shorter side, a number or a schedule; None: ``size``
            pixels.
    """

    size: int
    count: int | None = 1
    spread: float = 0.3
    side: Any = None

    def number(self, shape: tuple[int, int], side: float | None = None) -> int:
        """Return the number of windows in a step on a picture of this (height, width)."""
        return self.count or len(self.boxes(shape, Random(0), side))

    def boxes(self, shape: tuple[int, int], random: Random, side: float | None = None) -> list[Box]:
        """Draw the windows of one step.

        Args:
            shape: height and width of the picture.
            side: the current value of ``side``. A window is square and never larger than the picture.
        """
        shorter = min(shape)
        length = min(shorter, self.size if side is None else max(1, round(side * shorter)))
        if self.count is None:
            length = round(length * random.uniform(LEAST, 1))
            rows, columns = (_covering(extent, length, random) for extent in shape)
            return [Box(top, left, length, length) for top in rows for left in columns]

        def offset(room: int) -> int:
            return int(min(max(random.gauss(room / 2, self.spread * room), 0), room))

        return [Box(offset(shape[0] - length), offset(shape[1] - length), length, length) for _ in range(self.count)]


def in_panels(boxes: Sequence[Box], panels: Panels, sheet: tuple[int, int]) -> list[list[Box]]:
    """Return, for each window of a panel, the same window of every panel of a sheet of this (height, width)."""
    corners = [(rows.start, columns.start) for rows, columns in panels.windows(sheet)]
    return [[Box(top + box.top, left + box.left, box.height, box.width) for top, left in corners] for box in boxes]


def _covering(extent: int, length: int, random: Random) -> list[int]:
    """Return the starts of windows that cover an axis; neighbours overlap, and those between the edges move.

    A window that almost covers the axis by itself is alone, at a random place.
    """
    room = extent - length
    if room <= length // 4:
        return [random.randint(0, room)]
    gaps = ceil(room / (0.75 * length))
    slack = (length - room / gaps) / 2
    return [0, *(round(n * room / gaps + random.uniform(-slack, slack)) for n in range(1, gaps)), room]


def around(boxes: Sequence[Box]) -> tuple[slice, slice]:
    """Return the rows and columns from the first to the last that a window covers."""
    return (
        slice(min(box.top for box in boxes), max(box.top + box.height for box in boxes)),
        slice(min(box.left for box in boxes), max(box.left + box.width for box in boxes)),
    )
