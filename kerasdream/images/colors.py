"""Colours as arrays: luma, linear light, statistics per channel."""

from __future__ import annotations

import numpy as np

LUMA = 0.2126, 0.7152, 0.0722
"""Weights of red, green and blue in luma (ITU-R BT.709, which has the same primaries as sRGB)."""


def luma(pixels: np.ndarray) -> np.ndarray:
    """Return the luma of (height, width, 3) floats in [-1, 1] as (height, width, 1): the Y' of Y'CbCr."""
    return pixels @ np.array(LUMA, np.float32)[:, None]


def to_light(pixels: np.ndarray) -> np.ndarray:
    """Map sRGB values in [-1, 1] to linear light in [0, 1] (IEC 61966-2-1)."""
    values = (pixels + 1) / 2
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def from_light(light: np.ndarray) -> np.ndarray:
    """Map linear light to sRGB values in [-1, 1]; light outside [0, 1] is clipped."""
    light = light.clip(0, 1)
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (values * 2 - 1).astype(np.float32)


def mean_spread(pixels: np.ndarray) -> np.ndarray:
    """Return the mean and the standard deviation of each channel of (height, width, 3) floats, as (2, 3)."""
    return np.stack([pixels.mean((0, 1), dtype=float), pixels.std((0, 1), dtype=float)])


def with_mean_spread(pixels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Shift and scale each channel to the ``wanted`` mean and standard deviation, (2, 3).

    Results outside [-1, 1] are clipped.
    """
    mean, spread = mean_spread(pixels)
    scale = wanted[1] / (spread + 1e-6)
    return (pixels * np.float32(scale) + np.float32(wanted[0] - mean * scale)).clip(-1, 1)
