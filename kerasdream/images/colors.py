"""Colours as arrays: how bright one is, and light in proportion."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

LUMA = 0.2126, 0.7152, 0.0722
"""How much red, green and blue add to how bright a colour is (ITU-R BT.709, whose primaries are those of sRGB)."""


def luma(pixels: np.ndarray) -> np.ndarray:
    """Returns the luma of (height, width, 3) floats in [-1, 1] as (height, width, 1): the Y' of Y'CbCr."""
    import numpy as np

    return pixels @ np.float32(LUMA)[:, None]


def to_light(pixels: np.ndarray) -> np.ndarray:
    """Maps sRGB values in [-1, 1] to light, 0 to 1, of which twice as much is twice as many photons (IEC 61966-2-1)."""
    import numpy as np

    values = (pixels + 1) / 2
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4).astype(np.float32)


def from_light(light: np.ndarray) -> np.ndarray:
    """Maps light back to sRGB values in [-1, 1]; what lies outside 0 to 1 is clipped."""
    import numpy as np

    light = light.clip(0, 1)
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return (values * 2 - 1).astype(np.float32)


def mean_spread(pixels: np.ndarray) -> np.ndarray:
    """Returns the mean and the standard deviation of each channel of (height, width, 3) floats, as (2, 3)."""
    import numpy as np

    return np.stack([pixels.mean((0, 1), dtype=float), pixels.std((0, 1), dtype=float)])


def with_mean_spread(pixels: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Moves and stretches each channel until its mean and standard deviation are those ``wanted``, (2, 3).

    What then lies outside [-1, 1] is clipped.
    """
    import numpy as np

    mean, spread = mean_spread(pixels)
    scale = wanted[1] / (spread + 1e-6)
    return (pixels * np.float32(scale) + np.float32(wanted[0] - mean * scale)).clip(-1, 1)
