"""A bilateral filter after each step: flat areas calm down, edges stay."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt, Interval

from kerasdream.components import Projection

if TYPE_CHECKING:
    import numpy as np


def bilateral(
    *,
    tone: Annotated[float, Gt(0)] = 0.1,
    radius: Annotated[float, Gt(0)] = 1.5,
    amount: Annotated[float, Interval(ge=0, le=1)] = 0.1,
) -> Projection:
    """Averages each pixel with neighbours of a like colour after each step: flat areas calm down, edges stay sharp.

    The bilateral filter (Tomasi and Manduchi, "Bilateral Filtering for Gray and Color Images", ICCV 1998). It is a step
    uphill on log p = tone² Σ g(i − j) exp(−|xᵢ − xⱼ|² / 2 tone²) over pairs of pixels: a smoothness that takes large
    differences for edges and lets them be (Elad 2002).

    Args:
        tone: how far apart two colours may be to count as alike, on a scale of -1 to 1 (root mean square over RGB).
        radius: how far away a neighbour may be, in pixels of the octave: the sigma of a Gaussian, cut off at twice
            that. The time grows with its square.
        amount: share of the smoothed picture: 0 changes nothing, 1 replaces the picture.
    """

    def apply(picture):
        return (picture + amount * pull(picture, tone, radius)).clip(-1, 1)

    return Projection(apply)


def pull(picture: np.ndarray, tone: float, radius: float) -> np.ndarray:
    """Returns the filtered picture less the picture: each pixel's weighted mean difference to its neighbours.

    Neighbours beyond the picture's edge do not count. Each pair is looked at once, and pulls both its pixels.
    """
    import numpy as np

    planes = np.ascontiguousarray(np.moveaxis(picture, 2, 0))
    pulled, weights = np.zeros_like(planes), np.ones_like(planes[0])
    reach = ceil(2 * radius)
    for down in range(reach + 1):
        for right in range(-reach if down else 1, reach + 1):
            distance = down**2 + right**2
            if distance > reach**2 or down >= picture.shape[0] or abs(right) >= picture.shape[1]:
                continue
            here = np.s_[..., : -down or None, max(-right, 0) : -max(right, 0) or None]
            there = np.s_[..., down:, max(right, 0) : min(right, 0) or None]
            difference = planes[there] - planes[here]
            alike = np.exp(-np.square(difference).mean(axis=0) / (2 * tone**2) - distance / (2 * radius**2))
            weights[here] += alike
            weights[there] += alike
            difference *= alike
            pulled[here] += difference
            pulled[there] -= difference
    return np.moveaxis(pulled / weights, 0, 2)
