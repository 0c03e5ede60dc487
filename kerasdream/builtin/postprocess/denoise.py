"""Grain taken out, edges left."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt, Interval

from kerasdream.builtin.bilateral import bilateral_filter
from kerasdream.components import Postprocess


def denoise(
    *,
    tone: Annotated[float, Gt(0)] = 0.3,
    radius: Annotated[float, Interval(gt=0, le=10)] = 1.5,
    amount: Annotated[float, Interval(ge=0, le=1)] = 1.0,
) -> Postprocess:
    """Takes the grain out of the picture and leaves its edges sharp.

    The bilateral filter (Tomasi and Manduchi, "Bilateral filtering for gray and color images", ICCV 1998): each pixel
    p becomes the mean of its neighbours q, weighted by exp(-|q - p|² / 2 radius²) · exp(-|colour q - colour p|² / 2
    tone²): of those that are near *and* of a like colour. Across an edge colours differ: nothing is averaged there.

    Args:
        tone: how far apart two colours may be to count as alike: distance in RGB on a scale of -1 to 1.
        radius: how far away a neighbour may be, in pixels: a sigma, cut off at two of them. Time grows with its square.
        amount: share of the smoothed picture: 0 changes nothing.
    """

    def apply(picture, source):
        import numpy as np

        return picture + np.float32(amount) * (bilateral_filter(picture, tone, radius) - picture)

    return Postprocess(apply)
