"""Blur: the network sees the picture out of focus."""

from __future__ import annotations

from math import ceil
from typing import Annotated

from annotated_types import Interval

from kerasdream import Transform
from kerasdream.builtin.filters import gaussian

WIDEST = 8.0
"""The largest standard deviation, in pixels."""


def blur(*, sigma: Annotated[float, Interval(ge=0, le=WIDEST)] = 1.0) -> Transform:
    """Blur what the network sees, so that it responds only to what is visible out of focus.

    A Gaussian blur before the network; unlike the prior ``gaussian_blur`` it leaves the picture itself sharp. The
    gradient comes back through the same blur, so fine grain is not dreamed.

    Args:
        sigma: standard deviation in pixels of the octave.
    """
    # The overlap of tiles is fixed by the first step. Beyond two standard deviations a Gaussian has 5 % of its weight.
    margin = ceil(2 * sigma) if isinstance(sigma, (int, float)) else 0
    return Transform(lambda views, seed: gaussian(views, sigma, WIDEST), margin=margin)
