"""From a run's settings to what will be computed: octave sizes, steps, tiles. Pure data, no tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import TYPE_CHECKING

from kerasdream.errors import DreamError, ImageError
from kerasdream.plan.crops import Box, Windows
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.tiling import Cutting, Grid, Layout

if TYPE_CHECKING:
    from kerasdream.config.octaves import Octaves

SMALLEST_VIEW = 64
"""Views are not made smaller than this squared when memory runs out."""

SMALLEST_OCTAVE = 32
"""Octaves with a shorter side are dropped: there is nothing in them to see."""


@dataclass(frozen=True)
class Octave:
    """One size of the picture: (height, width), how many steps are taken at it, and how each of them cuts a panel."""

    shape: tuple[int, int]
    steps: int
    layout: Layout


@dataclass(frozen=True)
class Plan:
    """What a run computes for one picture.

    Attributes:
        sizes: (height, width) of the octaves, coarse to fine.
        octave_steps: steps in each octave, at most.
        cutting: how pictures are cut.
        seed: of everything random.
        notes: what the user should hear.
        crops: the random windows that are looked at instead; None: tiles.
        panels: of several pictures on one sheet; ``sizes`` are those of the sheet.
    """

    sizes: tuple[tuple[int, int], ...]
    octave_steps: tuple[int, ...]
    cutting: Cutting
    seed: int
    notes: tuple[str, ...] = ()
    crops: Windows | None = None
    panels: Panels = SINGLE

    @cached_property
    def octaves(self) -> tuple[Octave, ...]:
        """The octaves, coarse to fine."""
        size = max(SMALLEST_VIEW, int(self.cutting.size / self.panels.count**0.5))  # as all panels are seen at once
        cutting = self.cutting if self.panels == SINGLE else replace(self.cutting, size=size)
        return tuple(
            Octave(shape, steps, cutting.layout(self.panels.of(shape)))
            for shape, steps in zip(self.sizes, self.octave_steps, strict=True)
        )

    @property
    def steps(self) -> int:
        """Steps of the whole run, if no octave is left early."""
        return sum(self.octave_steps)

    @property
    def pixels(self) -> int:
        """Pixels of all steps of the run: what its time goes with."""
        return sum(octave.steps * octave.shape[0] * octave.shape[1] for octave in self.octaves)

    def grid(self, octave: int, step: int) -> Grid:
        """The tiles of one step, of a panel."""
        return self.octaves[octave].layout.grid(step_random(self.seed, octave, step))

    def roll(self, octave: int, step: int) -> tuple[int, int]:
        """By how many pixels the picture is shifted in one step, down and to the right, wrapped around."""
        return self.cutting.roll(step_random(self.seed, octave, step, "roll")) if self.cutting.wrap else (0, 0)

    def boxes(self, octave: int, step: int, side: float | None) -> list[Box]:
        """The windows of one step, ``side`` of the picture's shorter side large."""
        assert self.crops is not None
        return self.crops.boxes(self.sizes[octave], step_random(self.seed, octave, step, "crops"), side)

    def with_views(self, size: int) -> Plan:
        """The same plan with views of at most ``size²`` pixels."""
        return self if size == self.cutting.size else replace(self, cutting=replace(self.cutting, size=size))

    def smaller(self) -> Plan:
        """The same plan with views of half as many pixels, for when memory runs out.

        Raises:
            DreamError: they are as small as they get.
        """
        size = self.cutting.size * 7 // 10
        if size < SMALLEST_VIEW:
            raise DreamError(
                "memory runs out even for the smallest views; close other programs, or dream a smaller picture"
            )
        return self.with_views(size)


def step_random(seed: int, octave: int, step: int, use: str = "") -> Random:
    """The random numbers of one step's tiling, or of another use: a function of (seed, octave, step, use) alone."""
    return Random(f"{seed} {octave} {step} {use}".rstrip())


def transform_seed(seed: int, octave: int, step: int) -> tuple[int, int]:
    """Two int32 for one step's random transforms: a function of (seed, octave, step) alone."""
    import numpy as np

    first, second = np.random.SeedSequence([seed, octave, step, 1]).generate_state(2)
    return int(first >> 1), int(second >> 1)


def make_plan(
    shape: tuple[int, int],
    *,
    octaves: Octaves,
    cutting: Cutting,
    seed: int,
    notes: Sequence[str] = (),
    crops: Windows | None = None,
    panels: Panels = SINGLE,
) -> Plan:
    """Plans the dream of one picture.

    Args:
        shape: (height, width) of the picture, or of the sheet of several.
        octaves: their sizes and steps.
        cutting: how pictures are cut; the smallest picture the network can take stands in its lattice.
        crops: the windows that are looked at in place of tiles; they are enlarged to what the network takes.
        panels: of the sheet.

    Raises:
        ImageError: the picture is too small for even one octave.
    """
    least = SMALLEST_OCTAVE if crops else max(cutting.lattice.smallest, SMALLEST_OCTAVE)
    sizes = octaves.shapes(panels.of(shape))
    kept = [(size, steps) for size, steps in zip(sizes, octaves.each_steps, strict=True) if min(size) >= least]
    if not kept:
        height, width = max(sizes, key=min)
        what = "picture" if (height, width) == panels.of(shape) else "largest octave"
        raise ImageError(
            f"the {what} is {width}×{height} pixels; expected at least {least} on its shorter side for this network"
        )
    notes = list(notes)
    if len(kept) < len(sizes):
        dropped = len(sizes) - len(kept)
        notes.append(f"{dropped} of {len(sizes)} octaves dropped: their shorter side is under {least} pixels")
    shapes, steps = zip(*kept, strict=True)
    return Plan(tuple(map(panels.sheet, shapes)), steps, cutting, seed, tuple(notes), crops, panels)
