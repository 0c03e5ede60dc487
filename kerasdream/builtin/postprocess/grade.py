"""Light and colour of the finished picture, with the parameters photographers use."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import numpy as np
from annotated_types import Interval
from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from kerasdream import Postprocess, images

Share = Annotated[float, Interval(ge=0, le=1)]


def _rising(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
    """Return the points if they run from dark to light, so that errors point to their line in the run file."""
    if any(left[0] >= right[0] for left, right in pairwise(points)):
        raise PydanticCustomError("curve", "points from dark to light, each further right than the one before")
    return points


Curve = Annotated[list[tuple[Share, Share]], AfterValidator(_rising)]


def grade(
    *,
    exposure: Annotated[float, Interval(ge=-5, le=5)] = 0.0,
    temperature: Annotated[float, Interval(ge=-1, le=1)] = 0.0,
    contrast: Annotated[float, Interval(ge=-1, le=1)] = 0.0,
    curve: Curve | None = None,
    saturation: Annotated[float, Interval(ge=0, le=3)] = 1.0,
) -> Postprocess:
    """Grade the picture like a raw developer: exposure and temperature, contrast and a curve, saturation.

    In this order. Exposure and temperature multiply the light itself (linear, as if there had been more light or a
    different lamp); contrast and curve bend the tones of all three channels; saturation moves colours away from the
    grey of their luma.

    Args:
        exposure: in stops: 1 is twice the light, -1 half of it.
        temperature: above 0 warmer, below 0 cooler; at 1 red has gained a stop over blue. Grey keeps its brightness.
        contrast: above 0 tones spread out in the middle and close up at the ends; below 0 the reverse.
        curve: points [tone before, tone after], 0 black and 1 white, joined by a smooth curve that never turns back;
            [[0.25, 0.2], [0.75, 0.8]] for an S. The ends are [0, 0] and [1, 1] unless given.
        saturation: of the colours: 0 is black and white, 1 leaves them, 2 doubles them.
    """

    def apply(picture, source):
        graded = picture
        if exposure or temperature:
            tint = 2 ** (temperature * np.array([0.5, 0.0, -0.5]))
            light = images.to_light(graded) * np.float32(2**exposure * tint / (tint @ images.LUMA))
            graded = images.from_light(light)
        graded = graded + np.float32(contrast / 2) * graded * (1 - np.square(graded))
        if curve:
            graded = _curved(graded, curve)
        luma = images.luma(graded)
        return (luma + np.float32(saturation) * (graded - luma)).clip(-1, 1)

    return Postprocess(apply)


def _curved(picture: np.ndarray, points: Sequence[tuple[float, float]]) -> np.ndarray:
    """Apply a curve by monotone cubic interpolation (Fritsch and Carlson 1980): no overshoot between two points."""
    from scipy.interpolate import PchipInterpolator

    before, after = zip(*sorted({0.0: 0.0, 1.0: 1.0, **dict(points)}.items()), strict=True)
    return (PchipInterpolator(before, after)((picture + 1) / 2) * 2 - 1).astype("float32")
