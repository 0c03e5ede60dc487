"""A plan: what a run computes for one picture - octave sizes, steps, tiles. Pure data, no tensors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random

import numpy as np

from kerasdream.errors import DreamError, ImageError
from kerasdream.plan.crops import Box, Windows
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.tiling import Cutting, Grid, Layout

SMALLEST_VIEW = 64
"""Side below which views do not shrink further when memory runs out."""

SMALLEST_OCTAVE = 32
"""Octaves with a shorter side are dropped: networks see nothing in them."""


@dataclass(frozen=True)
class Octave:
    """One size of the picture: (height, width), the number of steps, and how each step cuts a panel."""

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
        crops: the random windows that the network sees instead of tiles; None: tiles.
        panels: the pictures on the sheet; ``sizes`` are those of the sheet.
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
        # All panels go through the network at once and share the size of a view.
        size = max(SMALLEST_VIEW, int(self.cutting.size / self.panels.number**0.5))
        cutting = self.cutting if self.panels == SINGLE else replace(self.cutting, size=size)
        return tuple(
            Octave(shape, steps, cutting.layout(self.panels.of(shape)))
            for shape, steps in zip(self.sizes, self.octave_steps, strict=True)
        )

    @property
    def steps(self) -> int:
        """Steps of the whole run, unless an octave ends early."""
        return sum(self.octave_steps)

    @property
    def pixels(self) -> int:
        """Pixels of all steps of the run; its time is proportional to them."""
        return sum(octave.steps * octave.shape[0] * octave.shape[1] for octave in self.octaves)

    def grid(self, octave: int, step: int) -> Grid:
        """Return the tiles of a panel in one step."""
        return self.octaves[octave].layout.grid(step_random(self.seed, octave, step))

    def roll(self, octave: int, step: int) -> tuple[int, int]:
        """Return the cyclic shift (down, right) in pixels for one step."""
        return self.cutting.roll(step_random(self.seed, octave, step, "roll")) if self.cutting.wrap else (0, 0)

    def boxes(self, octave: int, step: int, side: float | None) -> list[Box]:
        """Return the windows of one step; ``side``: their side as a fraction of the shorter side of a picture."""
        assert self.crops is not None
        panel = self.panels.of(self.sizes[octave])
        return self.crops.boxes(panel, step_random(self.seed, octave, step, "crops"), side)

    def with_views(self, size: int) -> Plan:
        """Return the same plan with views of at most ``size²`` pixels."""
        return self if size == self.cutting.size else replace(self, cutting=replace(self.cutting, size=size))

    def smaller(self) -> Plan:
        """Return the same plan with views of half as many pixels, for when memory runs out.

        Raises:
            DreamError: views cannot get any smaller.
        """
        size = self.cutting.size * 7 // 10
        if size < SMALLEST_VIEW:
            raise DreamError(
                "memory ran out even with the smallest tiles; close other programs, or use a smaller picture"
            )
        return self.with_views(size)


def step_random(seed: int, octave: int, step: int, use: str = "") -> Random:
    """Return the random generator of one step's tiling, or of another use; it depends only on the arguments."""
    return Random(f"{seed} {octave} {step} {use}".rstrip())


def transform_seed(seed: int, octave: int, step: int) -> tuple[int, int]:
    """Return two int32 for one step's random transforms; they depend only on the arguments."""
    first, second = np.random.SeedSequence([seed, octave, step, 1]).generate_state(2)
    return int(first >> 1), int(second >> 1)


def make_plan(
    shape: tuple[int, int],
    *,
    sizes: Sequence[tuple[int, int]],
    steps: Sequence[int],
    cutting: Cutting,
    seed: int,
    notes: Sequence[str] = (),
    crops: Windows | None = None,
    panels: Panels = SINGLE,
) -> Plan:
    """Plan the dream of one picture; octaves that are too small for the network are dropped.

    Args:
        shape: (height, width) of the picture, or of a panel if there are several.
        sizes: (height, width) of the octaves of that picture, coarse to fine.
        steps: steps in each octave.
        cutting: how pictures are cut; its lattice has the smallest picture that the network can take.
        crops: the windows that the network sees instead of tiles; they are resized to its input size.
        panels: the pictures on the sheet.

    Raises:
        ImageError: the picture is too small for even one octave.
    """
    least = SMALLEST_OCTAVE if crops else max(cutting.lattice.smallest, SMALLEST_OCTAVE)
    kept = [(size, number) for size, number in zip(sizes, steps, strict=True) if min(size) >= least]
    if not kept:
        height, width = max(sizes, key=min)
        what = "picture" if (height, width) == shape else "largest octave"
        raise ImageError(
            f"the {what} is {width}×{height} pixels; expected at least {least} on its shorter side for this network"
        )
    notes = list(notes)
    if dropped := len(sizes) - len(kept):
        notes.append(f"{dropped} of {len(sizes)} octaves dropped: their shorter side is under {least} pixels")
    return Plan(
        tuple(panels.sheet(size) for size, _ in kept),
        tuple(number for _, number in kept),
        cutting,
        seed,
        tuple(notes),
        crops,
        panels,
    )
