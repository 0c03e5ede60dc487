"""The bilateral filter: average pixels that are close together and of similar colour."""

from __future__ import annotations

from math import ceil

import numpy as np

BAND = 64
"""Rows processed at once, so that their data stays in the processor's cache."""


def bilateral_filter(picture: np.ndarray, tone: float, radius: float) -> np.ndarray:
    """Average each pixel p with its neighbours q, weighted by distance and similarity.

    The weights are exp(−|q − p|² / 2 radius²) · exp(−|colour q − colour p|² / 2 tone²), which is 1 for q = p.
    C. Tomasi, R. Manduchi, "Bilateral filtering for gray and color images", ICCV 1998.

    Args:
        picture: ``(height, width, 3)`` float32; it is mirrored at its edges.
        tone: the standard deviation of the distance in RGB.
        radius: the standard deviation of the distance in pixels; the average ends at two of them. The time grows with
            its square.
    """
    reach = ceil(2 * radius)
    around = np.pad(picture, ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    smooth = np.empty_like(picture)
    for top in range(0, len(picture), BAND):
        band = _averaged(around[top : top + BAND + 2 * reach], tone, radius)
        smooth[top : top + BAND] = band[reach:-reach, reach:-reach]
    return smooth


def _averaged(picture: np.ndarray, tone: float, radius: float) -> np.ndarray:
    """Average without mirroring. Each pair of pixels is computed once and counts for both."""
    planes = np.ascontiguousarray(np.moveaxis(picture, 2, 0))
    total, weights = planes.copy(), np.ones_like(planes[0])
    reach = ceil(2 * radius)
    for down in range(reach + 1):
        for right in range(-reach if down else 1, reach + 1):
            far = down**2 + right**2
            if far > reach**2:
                continue
            here = np.s_[..., : -down or None, max(-right, 0) : -max(right, 0) or None]
            there = np.s_[..., down:, max(right, 0) : min(right, 0) or None]
            unlike = np.square(planes[there] - planes[here]).sum(axis=0)
            weight = np.exp(unlike * np.float32(-0.5 / tone**2) - np.float32(far / (2 * radius**2)))
            for one, other in ((here, there), (there, here)):
                total[one] += weight * planes[other]
                weights[one] += weight
    return np.moveaxis(total / weights, 0, 2)
