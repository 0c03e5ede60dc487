"""Film for kerasdream: grading with a few numbers, and soft grain that is the same for the same seed."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Gt, Interval

from kerasdream import hookimpl

LUMA = (0.2126, 0.7152, 0.0722)
"""Contributions of red, green and blue to brightness (ITU-R BT.709)."""

ORANGE = (1.0, 0.2, -1.0)
"""The direction of warm colours, in RGB."""


def film_grain(
    *,
    amount: Annotated[float, Interval(ge=0, le=1)] = 0.08,
    size: Annotated[float, Gt(0)] = 1.0,
    seed: Annotated[int, Ge(0)] = 0,
):
    """Adds film grain, which makes dreamed and photographed areas look alike.

    Args:
        amount: standard deviation of the grain in the mid-tones, on a scale of -1 to 1.
        size: size of a grain in pixels: the sigma of the blur that correlates neighbouring pixels.
        seed: of the grain.
    """

    def grained(picture):
        from scipy.ndimage import gaussian_filter

        grain = gaussian_filter(np.random.default_rng(seed).normal(size=picture.shape[:2]), size / 2, mode="wrap")
        tone = picture.mean(axis=2)
        strength = amount * (1 - tone**2) / grain.std()  # none in black and white, where film has none either
        return (picture + (strength * grain)[..., None]).clip(-1, 1).astype("float32")

    return grained


def film_grade(
    *,
    contrast: Annotated[float, Interval(ge=-1, le=1)] = 0.2,
    saturation: Annotated[float, Interval(ge=0, le=3)] = 0.9,
    warmth: Annotated[float, Interval(ge=-1, le=1)] = 0.1,
    fade: Annotated[float, Interval(ge=0, le=1)] = 0.1,
):
    """Grades the picture like film: an S-shaped tone curve, saturation, warmth, and lifted blacks.

    Args:
        contrast: above 0 increases contrast in the mid-tones, below 0 reduces it; 0 changes nothing.
        saturation: of the colours: 0 is black and white, 1 changes nothing.
        warmth: above 0 shifts light areas to orange and dark ones to blue; below 0 the other way round.
        fade: how far black is lifted, as a share of the way to mid-grey.
    """

    def graded(picture):
        curved = picture + contrast * (1.5 * picture - 0.5 * picture**3 - picture)  # a cubic S through -1, 0 and 1
        grey = curved @ LUMA
        toned = grey[..., None] + saturation * (curved - grey[..., None])
        toned = toned + 0.25 * warmth * (grey * (1 - abs(grey)))[..., None] * ORANGE
        toned = toned + fade * (1 - toned.clip(-1, 1)) / 4 * (1 - grey[..., None]).clip(0, 2) / 2
        return toned.clip(-1, 1).astype("float32")

    return graded


@hookimpl
def register_postprocess(register):
    register(film_grain)
    register(film_grade)
