"""Film for kerasdream: grading by a few numbers, and soft grain that is the same for the same seed."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Gt, Interval

from kerasdream import Postprocess, hookimpl

LUMA = (0.2126, 0.7152, 0.0722)
"""How bright red, green and blue are (ITU-R BT.709)."""

ORANGE = (1.0, 0.2, -1.0)
"""Towards warm, in RGB."""


def film_grain(
    *,
    amount: Annotated[float, Interval(ge=0, le=1)] = 0.08,
    size: Annotated[float, Gt(0)] = 1.0,
    seed: Annotated[int, Ge(0)] = 0,
) -> Postprocess:
    """Lays grain over the picture, as on film: it ties what was dreamed and what was photographed together.

    Args:
        amount: standard deviation of the grain in the middle tones, on a scale of -1 to 1.
        size: size of a grain in pixels: the sigma of the blur that makes neighbouring pixels grain alike.
        seed: of the grain.
    """

    def apply(picture, source):
        import numpy as np
        from scipy.ndimage import gaussian_filter

        grain = gaussian_filter(np.random.default_rng(seed).normal(size=picture.shape[:2]), size / 2, mode="wrap")
        tone = picture.mean(axis=2)
        strength = amount * (1 - tone**2) / grain.std()  # none in black and white, where film has none either
        return (picture + (strength * grain)[..., None]).clip(-1, 1).astype("float32")

    return Postprocess(apply)


def film_grade(
    *,
    contrast: Annotated[float, Interval(ge=-1, le=1)] = 0.2,
    saturation: Annotated[float, Interval(ge=0, le=3)] = 0.9,
    warmth: Annotated[float, Interval(ge=-1, le=1)] = 0.1,
    fade: Annotated[float, Interval(ge=0, le=1)] = 0.1,
) -> Postprocess:
    """Grades the picture as film does: an S-shaped tone curve, saturation, warmth, and blacks that are not quite black.

    Args:
        contrast: above 0 the tones part in the middle, below 0 they close up; 0 leaves them.
        saturation: of the colours: 0 is black and white, 1 leaves them.
        warmth: above 0 light areas turn to orange and dark ones to blue; below 0 the other way round.
        fade: by how much black is lifted, as a share of the way to middle grey.
    """

    def apply(picture, source):
        curved = picture + contrast * (1.5 * picture - 0.5 * picture**3 - picture)  # a cubic S through -1, 0 and 1
        grey = curved @ LUMA
        graded = grey[..., None] + saturation * (curved - grey[..., None])
        graded = graded + 0.25 * warmth * (grey * (1 - abs(grey)))[..., None] * ORANGE
        graded = graded + fade * (1 - graded.clip(-1, 1)) / 4 * (1 - grey[..., None]).clip(0, 2) / 2
        return graded.clip(-1, 1).astype("float32")

    return Postprocess(apply)


@hookimpl
def register_postprocess(register):
    register(film_grain)
    register(film_grade)
