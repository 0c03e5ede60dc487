"""Evening out a tiled gradient: as strong beside a cut as anywhere else.

Near a cut the network does not see all that a pixel takes part in, and sees the padding of its own layers instead. With
InceptionV3's VALID stem the gradient is there a third as strong as elsewhere; with SAME padding it is up to half as
strong again. The cuts wander, so the dream has no seams, but what lies near them would be over- or underdone on
average. Each step therefore measures how the magnitude of its own gradient runs along the distance to its cuts, over
all cuts at once, and takes that course out. Nothing is remembered: a step stays a function of picture, plan and seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.plan.tiling import Grid

REACH = 80
"""Pixels from a cut that are evened out; as many behind them are what they are compared with."""

SMOOTH = 4
"""Pixels over which the course is averaged: strided layers treat neighbouring pixels differently."""

FADE = 4
"""The last of this many parts of the reach is where the evening out fades to nothing."""

LIMIT = 5.0
"""Largest factor, up or down."""


def seam_correction(grid: Grid, rows: np.ndarray, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns what to multiply a gradient by to even it out: a factor for each row and one for each column.

    Args:
        grid: the tiles that the gradient was put together from.
        rows: the sum of ``|gradient|`` over each row, ``(height,)``.
        columns: over each column, ``(width,)``.
    """
    import numpy as np

    spans = [*grid.rows, *grid.columns]
    factors = np.ones(len(rows), "float32"), np.ones(len(columns), "float32")
    cuts = [[span.start for span in axis[1:]] for axis in (grid.rows, grid.columns)]
    reach = min([REACH, *((span.stop - span.start) // 3 for span in spans)])
    if not any(cuts) or reach < SMOOTH:
        return factors
    size = 2 * reach  # with a third of every core at most for the reach, no other cut is near
    course = sum(_course(profile, places, size) for profile, places in zip((rows, columns), cuts, strict=True))
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
    """Adds a profile up along the distance to its cuts, on both sides of each, ``(size,)``."""
    import numpy as np

    total = np.zeros(size)
    for cut in cuts:
        total += _window(profile, cut, size) + _window(profile, cut - size, size)[::-1]
    return total


def _window(profile: np.ndarray, start: int, size: int) -> np.ndarray:
    """Part of a profile; beyond the picture it goes on as at its end."""
    import numpy as np

    return profile[np.clip(np.arange(start, start + size), 0, len(profile) - 1)]
