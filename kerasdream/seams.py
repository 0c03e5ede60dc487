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

    from kerasdream.tiling import Grid, Span

REACH = 64
"""Pixels from a cut that are evened out; the next ``REACH`` are what they are compared with."""

SMOOTH = 4
"""Pixels over which the course is averaged: strided layers treat neighbouring pixels differently."""

LIMIT = 5.0
"""Largest factor, up or down."""


def even(gradient: np.ndarray, grid: Grid, rows: np.ndarray, columns: np.ndarray) -> None:
    """Evens out a gradient, in place.

    Args:
        gradient: ``(height, width, 3)``, put together from the tiles of ``grid``.
        rows: the sum of ``|gradient|`` over each row, ``(height,)``.
        columns: over each column, ``(width,)``.
    """
    for axis, (spans, profile) in enumerate(((grid.rows, rows), (grid.columns, columns))):
        for start, factors in _factors(spans, profile):
            band = slice(start, start + len(factors))
            if axis == 0:
                gradient[band] *= factors[:, None, None]
            else:
                gradient[:, band] *= factors[:, None]


def _factors(spans: Sequence[Span], profile: np.ndarray) -> list[tuple[int, np.ndarray]]:
    """Returns (first pixel, factors) of the bands on both sides of each cut along an axis."""
    import numpy as np

    cuts = [span.start for span in spans[1:]]
    reach = min([REACH, *(-(-(span.stop - span.start) // 4) for span in spans)])
    if not cuts or reach < SMOOTH:
        return []
    bands = []
    for side in (-1, 1):
        places = [cut - 2 * reach if side < 0 else cut for cut in cuts]
        course = np.sum([_window(profile, place, 2 * reach)[::side] for place in places], axis=0)
        usual = course[reach:].mean()
        if not usual > 0:
            continue
        around = np.pad(course[: reach + SMOOTH], (SMOOTH // 2, 0), mode="edge")
        smooth = np.convolve(around, np.full(SMOOTH, 1 / SMOOTH), "valid")[:reach] / usual
        fade = 0.5 + 0.5 * np.cos(np.pi * np.clip(np.arange(reach) / reach * 2 - 1, 0, 1))
        factors = np.clip(smooth, 1 / LIMIT, LIMIT) ** -fade
        bands += [(place + reach, factors[::-1]) if side < 0 else (place, factors) for place in places]
    return [(start, factors.astype("float32")) for start, factors in bands]


def _window(profile: np.ndarray, start: int, size: int) -> np.ndarray:
    """Part of a profile; beyond the picture it goes on as at its end."""
    import numpy as np

    return profile[np.clip(np.arange(start, start + size), 0, len(profile) - 1)]
