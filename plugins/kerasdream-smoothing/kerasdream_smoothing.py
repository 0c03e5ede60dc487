"""Smoothing for kerasdream: projections that take the noise out of a dream and leave its edges, with OpenCV."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Gt, Interval

from kerasdream import Projection, hookimpl


def bilateral(
    *,
    tone: Annotated[float, Gt(0)] = 0.15,
    radius: Annotated[float, Gt(0)] = 1.5,
    amount: Annotated[float, Interval(ge=0, le=1)] = 0.5,
) -> Projection:
    """Averages each pixel with neighbours of a like colour after each step: flat areas calm down, edges stay sharp.

    The bilateral filter (Tomasi and Manduchi, "Bilateral Filtering for Gray and Color Images", ICCV 1998).

    Args:
        tone: how far apart two colours may be to count as alike, on a scale of -1 to 1.
        radius: how far away a neighbour may be, in pixels of the octave: the sigma of a Gaussian.
        amount: share of the smoothed picture: 0 changes nothing, 1 replaces the picture.
    """

    def apply(picture):
        import cv2

        smooth = cv2.bilateralFilter(picture, -1, tone * 3, radius, borderType=cv2.BORDER_REFLECT)  # sums 3 channels
        return (picture + amount * (smooth - picture)).clip(-1, 1)

    return Projection(apply)


def median(*, size: Literal[3, 5] = 3, amount: Annotated[float, Interval(ge=0, le=1)] = 0.3) -> Projection:
    """Takes the median of each pixel's neighbourhood after each step: single bright and dark pixels go.

    The prior of Øygard's second version of deepdraw, and of Nguyen et al. 2016, "Multifaceted Feature Visualization".

    Args:
        size: side of the neighbourhood in pixels: 3 or 5.
        amount: share of the median: 0 changes nothing, 1 replaces the picture.
    """

    def apply(picture):
        import cv2

        return picture + amount * (cv2.medianBlur(picture, size) - picture)

    return Projection(apply)


@hookimpl
def register_priors(register):
    register(bilateral)
    register(median)
