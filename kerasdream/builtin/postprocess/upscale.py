"""The finished picture made larger."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream.components import Postprocess


def upscale(*, factor: Annotated[float, Interval(ge=1, le=8)] = 2.0) -> Postprocess:
    """Makes the finished picture larger, in float, with a Lanczos filter (three lobes).

    A dream costs time for each pixel, so a poster is dreamed small and enlarged. Nothing is invented that was not
    dreamed; ``sharpen`` after it, with a radius to match, gives edges back some of their bite. Steps after it see the
    source enlarged likewise, and alpha is enlarged with the picture.

    Args:
        factor: times as wide and as high.
    """

    def apply(picture, source):
        from kerasdream.images import resize

        return resize(picture, made.enlarged(picture.shape[:2]), by="lanczos").clip(-1, 1)

    made = Postprocess(apply, factor)
    return made
