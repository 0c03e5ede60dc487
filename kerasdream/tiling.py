"""How a picture is cut into tiles for one step: pure arithmetic.

Every pixel lies in the core of exactly one tile. The network sees a *view*: the core, the halo around it, and what it
takes to reach a size for which the network drops no pixel. The cuts lie elsewhere in each step, so no seam can build
up. Views that reach beyond the picture see it mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from random import Random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Span(NamedTuple):
    """One tile along one axis, in pixels of the picture: the core is part of the view."""

    start: int
    stop: int
    view_start: int
    view_stop: int


class Tile(NamedTuple):
    """One tile: its spans along height and width."""

    rows: Span
    columns: Span

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the view."""
        return (self.rows.view_stop - self.rows.view_start, self.columns.view_stop - self.columns.view_start)


class Lattice(NamedTuple):
    """Sizes of views that lose no pixel: ``residue`` modulo ``stride``, and at least ``smallest``."""

    stride: int = 1
    residue: int = 0
    smallest: int = 1

    def up(self, size: int) -> int:
        """The nearest allowed size that is not smaller."""
        size = max(size, self.smallest)
        return size + (self.residue - size) % self.stride

    def nearest(self, size: float, at_least: int) -> int:
        """The nearest allowed size that is not smaller than ``at_least``."""
        return self.up(max(round(size - self.stride / 2), at_least))


def joint(lattices: Sequence[Lattice]) -> Lattice:
    """The lattice for several layers of one network: that of the coarsest, with room for each."""
    coarsest = max(lattices, key=lambda lattice: lattice.stride)
    return coarsest._replace(smallest=max(lattice.smallest for lattice in lattices))


def spans(length: int, size: int, halo: int, lattice: Lattice, phase: int, draw: float) -> list[Span]:
    """Cuts one axis.

    Args:
        length: pixels along the axis.
        size: the nominal size of a view. Inner views come near it from below; where the first ends is drawn over the
            length of a whole core, so that between the outer half cores a cut falls on every place equally often.
        halo: pixels of context on both sides of a core.
        phase: how many pixels before the picture the first view's core begins.
        draw: a number in [0, 1) that places the cuts.
    """
    total = length + phase
    whole = lattice.up(total + 2 * halo)
    if whole <= size * 5 // 4:
        return [Span(0, length, -phase - halo, whole - phase - halo)]
    count = max(2, -(-total // max(size - 2 * halo, 1)))
    size = lattice.nearest(total / count + 2 * halo, at_least=2 * halo + 1)
    core = size - 2 * halo
    inner = max(0, min(count - 2, total // core - 1))
    first = round((total - inner * core) / 2 + (draw - 0.5) * core)
    first = lattice.up(first + 2 * halo) - 2 * halo
    starts = [-phase, *(first - phase + i * core for i in range(inner + 1))]
    result = []
    for i, start in enumerate(starts):
        stop = starts[i + 1] if i + 1 < len(starts) else length
        view = first + 2 * halo if i == 0 else size if i <= inner else lattice.up(stop - start + 2 * halo)
        result.append(Span(max(start, 0), min(stop, length), start - halo, start - halo + view))
    return [span for span in result if span.stop > span.start]


def tiles(shape: tuple[int, int], size: int, halo: int, lattice: Lattice, jitter: int, random: Random) -> list[Tile]:
    """Cuts a picture for one step.

    Args:
        shape: (height, width) of the picture.
        jitter: largest phase, in pixels.
        random: the step's own generator; four numbers are drawn.
    """
    axes = []
    for length in shape:
        phase = random.randint(0, jitter)
        axes.append(spans(length, size, halo, lattice, phase, random.random()))
    return [Tile(rows, columns) for rows, columns in product(*axes)]


def batches(grid: list[Tile], pixels: int) -> Iterator[list[Tile]]:
    """Groups tiles of equal view shape, at most ``pixels`` pixels (and at least one tile) a batch."""
    by_shape: dict[tuple[int, int], list[Tile]] = {}
    for tile in grid:
        by_shape.setdefault(tile.shape, []).append(tile)
    for (height, width), members in by_shape.items():
        count = max(1, pixels // (height * width))
        yield from (members[i : i + count] for i in range(0, len(members), count))


def mirrored(start: int, stop: int, length: int) -> np.ndarray:
    """Returns the indices ``start`` to ``stop`` of an axis of ``length`` that continues as its mirror image."""
    import numpy as np

    period = max(1, 2 * (length - 1))
    index = np.abs(np.arange(start, stop)) % period
    return np.where(index < length, index, period - index)


def cut(picture: np.ndarray, tile: Tile) -> np.ndarray:
    """Returns a tile's view of a ``(height, width, channels)`` picture, mirrored beyond its edges."""
    height, width = picture.shape[:2]
    (_, _, top, bottom), (_, _, left, right) = tile
    if top >= 0 and left >= 0 and bottom <= height and right <= width:
        return picture[top:bottom, left:right]
    return picture[mirrored(top, bottom, height)[:, None], mirrored(left, right, width)[None, :]]
