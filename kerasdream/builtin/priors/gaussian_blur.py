"""A blur after each step: the picture stays smooth."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import Projection


def gaussian_blur(*, sigma: Annotated[float, Ge(0)] = 0.5) -> Projection:
    """Blur the picture slightly after each step, so that only structures coarser than the blur can grow.

    The prior of deepdraw (Audun Øygard 2015), where sigma falls within each octave: ``{from: 2.5, to: 0.78}``.

    Args:
        sigma: standard deviation in pixels of the octave.
    """

    def apply(picture):
        from scipy.ndimage import gaussian_filter

        return gaussian_filter(picture, (sigma, sigma, 0), mode="reflect") if sigma > 0 else picture

    return Projection(apply)
