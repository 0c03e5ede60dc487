"""A bilateral filter after each step: flat areas calm down, edges stay."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt, Interval

from kerasdream import Projection
from kerasdream.builtin.bilateral import bilateral_filter


def bilateral(
    *,
    tone: Annotated[float, Gt(0)] = 0.2,
    radius: Annotated[float, Interval(gt=0, le=10)] = 1.5,
    amount: Annotated[float, Interval(ge=0, le=1)] = 0.1,
) -> Projection:
    """Average each pixel with neighbours of similar colour after each step: flat areas calm down, edges stay sharp.

    The bilateral filter (Tomasi and Manduchi, "Bilateral filtering for gray and color images", ICCV 1998). It is a step
    uphill on log p = tone² Σ g(i − j) exp(−|xᵢ − xⱼ|² / 2 tone²) over pairs of pixels: a smoothness prior that takes
    large differences for edges and leaves them alone (Elad 2002).

    Args:
        tone: how far apart two colours may be and still be averaged: distance in RGB on a scale of -1 to 1.
        radius: how far away a neighbour may be, in pixels of the octave: a standard deviation, cut off at two of them.
            The time grows with its square.
        amount: share of the smoothed picture: 0 changes nothing, 1 replaces the picture.
    """
    return Projection(lambda picture: picture + amount * (bilateral_filter(picture, tone, radius) - picture))
