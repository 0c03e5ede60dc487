"""From a run's settings to what will be computed: octave sizes, steps, tiles. Pure data, no tensors."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from kerasdream.errors import ImageError
from kerasdream.tiling import Lattice, Tile, tiles

AUTO_TILE = 384
"""Nominal side of a view for ``tiles: {size: auto}``."""

HALO = 8
"""Pixels of context around a tile. Cuts are drawn anew in each step, so they leave no seam even without it."""

BATCH_PIXELS = 4 * 256 * 256
"""Pixels of equally shaped views that go through the network at once."""

SMALLEST_OCTAVE = 32
"""Octaves with a shorter side are dropped: there is nothing in them to see."""


@dataclass(frozen=True)
class Octave:
    """One size of the picture: (height, width) and how many steps are taken at it."""

    shape: tuple[int, int]
    steps: int


@dataclass(frozen=True)
class Plan:
    """What a run computes for one picture.

    Attributes:
        octaves: coarse to fine; the last has the size of the picture.
        tile, halo, jitter, lattice: how each step cuts the picture, see ``kerasdream.tiling``.
        seed: of everything random.
        notes: what the user should hear.
    """

    octaves: tuple[Octave, ...]
    tile: int
    halo: int
    jitter: int
    lattice: Lattice
    seed: int
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        """Steps of the whole run."""
        return sum(octave.steps for octave in self.octaves)

    @property
    def pixels(self) -> int:
        """Pixels of all steps of the run: what its time goes with."""
        return sum(octave.steps * octave.shape[0] * octave.shape[1] for octave in self.octaves)

    def grid(self, octave: int, step: int) -> list[Tile]:
        """The tiles of one step."""
        random = step_random(self.seed, octave, step)
        return tiles(self.octaves[octave].shape, self.tile, self.halo, self.lattice, self.jitter, random)


def step_random(seed: int, octave: int, step: int) -> Random:
    """The random numbers of one step's tiling: a function of (seed, octave, step) alone."""
    return Random(f"{seed} {octave} {step}")


def transform_seed(seed: int, octave: int, step: int) -> tuple[int, int]:
    """Two int32 for one step's random transforms: a function of (seed, octave, step) alone."""
    import numpy as np

    first, second = np.random.SeedSequence([seed, octave, step, 1]).generate_state(2)
    return int(first >> 1), int(second >> 1)


def make_plan(
    shape: tuple[int, int],
    *,
    count: int,
    scale: float,
    steps: int,
    tile: int | str,
    halo: int,
    jitter: int,
    lattice: Lattice,
    seed: int,
    smallest: int = 1,
) -> Plan:
    """Plans the dream of one picture.

    Args:
        shape: (height, width) of the picture.
        count, scale, steps: octaves, the factor between two of them, steps in each.
        tile: nominal side of a view, or ``"auto"``.
        smallest: the smallest picture the network can take.

    Raises:
        ImageError: the picture is too small for even one octave.
    """
    least = max(smallest, SMALLEST_OCTAVE)
    sizes = [(max(1, round(shape[0] / scale**i)), max(1, round(shape[1] / scale**i))) for i in reversed(range(count))]
    kept = [size for size in sizes if min(size) >= least]
    if not kept:
        raise ImageError(
            f"the picture is {shape[1]}×{shape[0]} pixels; expected at least {least} on its shorter side for this "
            "network"
        )
    notes = []
    if len(kept) < len(sizes):
        dropped = len(sizes) - len(kept)
        notes.append(f"{dropped} of {count} octaves dropped: their shorter side is under {least} pixels")
    return Plan(
        octaves=tuple(Octave(size, steps) for size in kept),
        tile=AUTO_TILE if tile == "auto" else int(tile),
        halo=halo,
        jitter=jitter,
        lattice=lattice,
        seed=seed,
        notes=tuple(notes),
    )
