"""Remove grain and keep edges."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Interval

from kerasdream import Postprocess
from kerasdream.builtin.bilateral import bilateral_filter


def denoise(
    *,
    tone: Annotated[float, Gt(0)] = 0.3,
    radius: Annotated[float, Interval(gt=0, le=10)] = 1.5,
    amount: Annotated[float, Interval(ge=0, le=1)] = 1.0,
) -> Postprocess:
    """Remove grain from the picture and keep its edges sharp.

    The bilateral filter (Tomasi and Manduchi, "Bilateral filtering for gray and color images", ICCV 1998): each pixel
    p becomes the mean of its neighbours q, weighted by exp(-|q - p|² / 2 radius²) · exp(-|colour q - colour p|² / 2
    tone²), so only pixels that are close *and* of similar colour are averaged. Across an edge, colours differ and
    nothing is averaged.

    Args:
        tone: how far apart two colours may be and still be averaged: distance in RGB on a scale of -1 to 1.
        radius: how far away a neighbour may be, in pixels: a standard deviation, cut off at two of them. The time grows
            with its square.
        amount: share of the smoothed picture: 0 changes nothing.
    """

    def apply(picture, source):
        return picture + np.float32(amount) * (bilateral_filter(picture, tone, radius) - picture)

    return Postprocess(apply)
