"""Enlarge the finished picture."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import Postprocess, images


def upscale(*, factor: Annotated[float, Interval(ge=1, le=8)] = 2.0) -> Postprocess:
    """Enlarge the finished picture, in float, with a Lanczos filter (three lobes).

    A dream costs time for each pixel, so a poster is dreamed small and enlarged. Enlarging adds no new detail;
    ``sharpen`` after it, with a radius to match, restores some of the crispness. Later steps receive an enlarged source
    as well, and alpha is enlarged with the picture.

    Args:
        factor: times as wide and as high.
    """

    def apply(picture, source):
        return images.resize(picture, made.enlarged(picture.shape[:2]), by="lanczos").clip(-1, 1)

    made = Postprocess(apply, factor)
    return made
