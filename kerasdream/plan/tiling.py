"""How a picture is cut into tiles: pure arithmetic.

Every pixel belongs to the core of exactly one tile. The network sees a *view*: the core and its surroundings. An axis
is cut into pieces of at most two lengths, whose order is drawn again in each step: the cuts wander, so no seam can
build up, yet a whole octave needs at most four shapes of views. That matters because oneDNN builds its kernels again
for each shape, 20 to 70 ms for InceptionV3. All views have sizes for which the network drops no pixel. Views that
extend beyond the picture see it mirrored.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from math import ceil
from random import Random
from typing import Any, NamedTuple

import numpy as np

RATIO = 0.7
"""Length of a short piece of an axis relative to a long one."""

WANDER = 4
"""Pixels by which a cut moves to either side of its place between two views, so that it falls on every phase of a
stride of 2, 4 or 8 equally often."""

ALONE, LARGE = 1.08, 400_000
"""Cost of a pixel if a single view covers the picture, relative to two views in progress at once (measured with
InceptionV3 on two cores: 1.08 to 1.15), and the pixels from which that holds: smaller views lose just as much."""

CUT = 8
"""Cost of one pixel of cut length, in wasted pixels. Breaks near-ties in favour of fewer cuts."""

BATCH_PIXELS = 4 * 256 * 256
"""Pixels of small views of the same shape that go through the network at once."""


class Span(NamedTuple):
    """One tile along one axis, in pixels of the picture: its core, and the view, which contains the core."""

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

    @property
    def core(self) -> tuple[int, int, int, int]:
        """Top, bottom, left and right of the core within the view."""
        down, right = self.rows.view_start, self.columns.view_start
        return (self.rows.start - down, self.rows.stop - down, self.columns.start - right, self.columns.stop - right)


class Lattice(NamedTuple):
    """Sizes of views that lose no pixel: congruent to ``residue`` modulo ``stride``, and at least ``smallest``."""

    stride: int = 1
    residue: int = 0
    smallest: int = 1

    def up(self, size: int) -> int:
        """Return the smallest allowed size that is not below ``size``."""
        size = max(size, self.smallest)
        return size + (self.residue - size) % self.stride


def joint(lattices: Sequence[Lattice]) -> Lattice:
    """Return the lattice for several layers of one network: that of the coarsest layer, large enough for each."""
    coarsest = max(lattices, key=lambda lattice: lattice.stride)
    return coarsest._replace(smallest=max(lattice.smallest for lattice in lattices))


@dataclass(frozen=True)
class Axis:
    """How one axis is cut in every step of an octave.

    Attributes:
        length: pixels of the picture along the axis.
        sizes: the sizes of its views, in any order.
        overlap: pixels that neighbouring views share; the cut wanders about their middle.
        outer: mirrored pixels by which a view extends beyond the picture's edge, at least.
        jitter: largest shift of the whole grid, in pixels; if 0, the grid starts at a multiple of ``stride``.
    """

    length: int
    sizes: tuple[int, ...]
    overlap: int
    outer: int
    jitter: int
    stride: int

    @property
    def area(self) -> int:
        """Sum of the views' lengths along the axis, in pixels."""
        return sum(self.sizes)

    @property
    def spare(self) -> int:
        """Slack: how far the grid can shift along this axis, in pixels."""
        return self.area - 2 * self.outer - self.overlap * (len(self.sizes) - 1) - self.length

    def spans(self, random: Random) -> list[Span]:
        """Cut the axis for one step."""
        sizes = random.sample(self.sizes, len(self.sizes))
        move = min(self.jitter, self.spare)
        still = (self.spare - move) // 2 // self.stride * self.stride
        view = -self.outer - still - random.randint(0, move)
        spans, start = [], 0
        for i, size in enumerate(sizes):
            last = i == len(sizes) - 1
            stop = self.length if last else view + size - self.overlap // 2 + random.randrange(-WANDER, WANDER)
            spans.append(Span(start, stop, view, view + size))
            start, view = stop, view + size - self.overlap
        return spans


@dataclass(frozen=True)
class ExactAxis:
    """Cuts an axis so that every core pixel has its whole receptive field on both sides; cuts leave no trace.

    The picture is mirrored at its end up to a size for which no pixel is lost. The gradient equals that of this picture
    in a single view, to rounding. Views start at multiples of the stride and end where the network loses nothing.

    Attributes:
        core: pixels of a core, a multiple of the stride.
        field: receptive field of one position, in pixels.
    """

    length: int
    core: int
    field: int
    lattice: Lattice

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes of its views, in a typical step."""
        return tuple(span.view_stop - span.view_start for span in self.spans(Random(0)))

    @property
    def area(self) -> int:
        """Sum of the views' lengths along the axis in a typical step, in pixels."""
        return sum(self.sizes)

    def spans(self, random: Random) -> list[Span]:
        """Cut the axis for one step."""
        stride, padded = self.lattice.stride, self.lattice.up(self.length)
        first = self.core if self.length <= self.core else stride * random.randint(1, self.core // stride)
        cuts = [0, *range(first, self.length, self.core), self.length]
        spans = []
        for start, stop in pairwise(cuts):
            view = max(0, start - self.field) // stride * stride
            spans.append(Span(start, stop, view, min(padded, view + self.lattice.up(stop + self.field - view))))
        return spans


def axis(
    length: int, count: int, halo: int, border: int, lattice: Lattice, jitter: int, *, aligned: bool = False
) -> Axis | None:
    """Cut an axis into ``count`` views; return None if there is no room for that many.

    The grid can move by at least half of ``jitter``, or half of the coarsest stride, after which phases repeat.

    Args:
        aligned: whether the positions of all views fall on one grid, as in a single view.
    """
    room, stride = min(jitter, lattice.stride - 1) // 2, lattice.stride
    border += -border % stride if aligned else 0
    if count == 1:
        return Axis(length, (lattice.up(length + 2 * border + room),), 0, border, jitter, stride)
    overlap = 2 * (halo + WANDER)
    if aligned:
        overlap += (lattice.residue - overlap) % stride
    outer = border if count == 2 or aligned else max(halo + WANDER, border)
    needed = length + room + 2 * outer + overlap * (count - 1)
    short, long = count // 2, count - count // 2
    larger = lattice.up(ceil(needed / (long + RATIO * short)))
    smaller = lattice.up(ceil((needed - long * larger) / short))
    made = Axis(length, (larger,) * long + (smaller,) * short, overlap, outer, jitter, stride)
    roomy = smaller - overlap // 2 - max(overlap - overlap // 2, outer + made.spare) > 2 * WANDER
    return made if roomy and smaller <= larger else None


class Grid(NamedTuple):
    """The tiles of one step: every span of the rows with every span of the columns."""

    rows: Sequence[Span]
    columns: Sequence[Span]

    @property
    def tiles(self) -> list[Tile]:
        """The tiles, row by row."""
        return [Tile(rows, columns) for rows, columns in product(self.rows, self.columns)]


class Layout(NamedTuple):
    """How a picture is cut in every step of an octave."""

    rows: Axis | ExactAxis
    columns: Axis | ExactAxis

    @property
    def views(self) -> int:
        """Number of views."""
        return len(self.rows.sizes) * len(self.columns.sizes)

    @property
    def area(self) -> int:
        """Pixels of all views together, the cost of a step."""
        return self.rows.area * self.columns.area

    @property
    def largest(self) -> int:
        """Pixels of the largest view, which determine the memory."""
        return max(self.rows.sizes) * max(self.columns.sizes)

    def grid(self, random: Random) -> Grid:
        """Cut the picture for one step."""
        return Grid(self.rows.spans(random), self.columns.spans(random))


@dataclass(frozen=True)
class Cutting:
    """The rules by which pictures of any size are cut.

    Attributes:
        lattice: sizes of views that suit the network.
        size: a view has at most ``size²`` pixels.
        halo: pixels of context around a core at a cut.
        border: mirrored pixels around a core at the picture's edge, at least.
        jitter: largest shift of the whole grid, in pixels.
        field: receptive field of one position, in pixels; None where it is unbounded.
        exact: whether every core has its whole receptive field around it.
        wrap: whether the picture is shifted instead of the grid, cyclically, by up to ``jitter`` either way.
    """

    lattice: Lattice
    size: int
    halo: int = 0
    border: int = 0
    jitter: int = 0
    field: int | None = None
    exact: bool = False
    wrap: bool = False

    def roll(self, random: Random) -> tuple[int, int]:
        """Draw the shift (down, right) of the picture in one step, in pixels."""
        return (random.randint(-self.jitter, self.jitter), random.randint(-self.jitter, self.jitter))

    @property
    def whole(self) -> bool:
        """Whether every core pixel has its whole receptive field in the view."""
        return self.exact or (self.field is not None and min(self.halo, self.border) >= self.field)

    def layout(self, shape: tuple[int, int]) -> Layout:
        """Choose the cheapest number of views for a picture of this (height, width)."""
        if self.exact:
            assert self.field is not None
            stride = self.lattice.stride
            core = max(stride, (self.size - 2 * self.field) // stride * stride, 128 // stride * stride)
            return Layout(*(ExactAxis(length, core, self.field, self.lattice) for length in shape))
        most = [length // max(self.size // 2, 1) + 2 for length in shape]
        options = [
            [made for count in range(1, n + 1) if (made := self._axis(length, count))]
            for length, n in zip(shape, most, strict=True)
        ]
        layouts = [Layout(*pair) for pair in product(*options)]
        fitting = [one for one in layouts if one.largest <= self.size**2]
        if not fitting:
            return min(layouts, key=lambda one: (one.largest, one.area))

        def cost(one: Layout) -> float:
            alone = one.views == 1 and one.area >= LARGE
            cuts = (len(one.rows.sizes) - 1) * shape[1] + (len(one.columns.sizes) - 1) * shape[0]
            return one.area * (ALONE if alone else 1) + CUT * cuts

        return min(fitting, key=cost)

    def _axis(self, length: int, count: int) -> Axis | None:
        jitter = 0 if self.wrap else self.jitter
        return axis(length, count, self.halo, self.border, self.lattice, jitter, aligned=self.whole)


def batches(tiles: Sequence[Tile], batch: int | None = None, pixels: int = BATCH_PIXELS) -> Iterator[list[Tile]]:
    """Yield groups of tiles with the same view shape, largest first: ``batch`` tiles each, or ``pixels`` pixels."""
    by_shape: dict[tuple[int, int], list[Tile]] = {}
    for tile in tiles:
        by_shape.setdefault(tile.shape, []).append(tile)
    for (height, width), members in sorted(by_shape.items(), key=lambda item: -item[0][0] * item[0][1]):
        count = batch or max(1, min(pixels, BATCH_PIXELS) // (height * width))
        yield from (members[i : i + count] for i in range(0, len(members), count))


def mirrored(start: int, stop: int, length: int) -> np.ndarray[Any, np.dtype[np.int_]]:
    """Return the indices ``start`` to ``stop`` of an axis of ``length`` that continues as its mirror image."""
    period = max(1, 2 * (length - 1))
    index = np.abs(np.arange(start, stop)) % period
    return np.where(index < length, index, period - index)
