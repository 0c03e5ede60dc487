"""Seam correction: make a tiled gradient as strong next to a cut as anywhere else.

Near a cut the network does not see everything that depends on a pixel; it sees the padding of its own layers instead.
With InceptionV3's VALID stem the gradient there is a third as strong as elsewhere; with SAME padding it is up to half
as strong again. Because the cuts move from step to step, the dream has no seams, but the areas around them would be
over- or underdone on average. Each step therefore measures the magnitude of its own gradient as a function of the
distance to a cut, over all cuts at once, and divides by that profile. Nothing is remembered from one step to the next:
a step stays a function of picture, plan and seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from kerasdream.plan.tiling import Grid

REACH = 80
"""Pixels on either side of a cut that are corrected; as many pixels beyond them serve as the reference."""

SMOOTH = 4
"""Pixels over which the profile is averaged, because strided layers treat neighbouring pixels differently."""

FADE = 4
"""The correction fades out over the last ``1/FADE`` of the reach."""

LIMIT = 5.0
"""Largest correction factor, up or down."""


def seam_correction(grid: Grid, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the factors that correct a gradient: one for each row and one for each column.

    Args:
        grid: the tiles that the gradient was assembled from.
        rows: the sum of ``|gradient|`` over each row, ``(height,)``.
        columns: over each column, ``(width,)``.
    """
    spans = [*grid.rows, *grid.columns]
    factors = np.ones(len(rows), "float32"), np.ones(len(columns), "float32")
    cuts = [[span.start for span in axis[1:]] for axis in (grid.rows, grid.columns)]
    reach = min([REACH, *((span.stop - span.start) // 3 for span in spans)])
    if not any(cuts) or reach < SMOOTH:
        return factors
    size = 2 * reach  # the reach is at most a third of every core, so no other cut is near
    course = _course(rows, cuts[0], size) + _course(columns, cuts[1], size)
    usual = course[reach:].mean()
    if not usual > 0:
        return factors
    around = np.pad(course[: reach + SMOOTH], (SMOOTH // 2, 0), mode="edge")
    smooth = np.convolve(around, np.full(SMOOTH, 1 / SMOOTH), "valid")[:reach] / usual
    fade = np.clip(FADE * (1 - np.arange(reach) / reach), 0, 1)
    side = np.clip(smooth, 1 / LIMIT, LIMIT) ** -fade
    for axis, places in zip(factors, cuts, strict=True):
        for cut in places:
            axis[cut - reach : cut + reach] = np.concatenate([side[::-1], side])
    return factors


def _course(profile: np.ndarray, cuts: Sequence[int], size: int) -> np.ndarray:
    """Sum a profile as a function of the distance to its cuts, on both sides of each, ``(size,)``."""
    total = np.zeros(size)
    for cut in cuts:
        total += _window(profile, cut, size) + _window(profile, cut - size, size)[::-1]
    return total


def _window(profile: np.ndarray, start: int, size: int) -> np.ndarray:
    """Return part of a profile; beyond the picture its last value is repeated."""
    return profile[np.clip(np.arange(start, start + size), 0, len(profile) - 1)]
