"""Grain taken out, edges left."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Annotated

from annotated_types import Gt, Interval

from kerasdream.components import Postprocess

if TYPE_CHECKING:
    import numpy as np

BAND = 64
"""Rows that are worked on at once: what they need stays in a processor's cache."""


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

        return picture + np.float32(amount) * (_bilateral(picture, tone, radius) - picture)

    return Postprocess(apply)


def _bilateral(picture: np.ndarray, tone: float, radius: float) -> np.ndarray:
    import numpy as np

    reach = max(1, round(2 * radius))
    height, width, _ = picture.shape
    around = np.pad(picture, ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    smooth = np.empty_like(picture)
    for top in range(0, height, BAND):
        band = picture[top : top + BAND]
        total, weights = np.zeros_like(band), np.zeros_like(band[..., :1])
        for down, right in product(range(2 * reach + 1), repeat=2):
            seen = around[top + down : top + down + len(band), right : right + width]
            far = ((down - reach) ** 2 + (right - reach) ** 2) / radius**2
            alike = np.square(seen - band).sum(-1, keepdims=True) / np.float32(tone**2)
            weight = np.exp(-(alike + np.float32(far)) / 2)
            total += weight * seen
            weights += weight
        smooth[top : top + BAND] = total / weights
    return smooth
