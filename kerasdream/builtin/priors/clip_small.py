"""Sparse pictures: pixels that are nearly grey become grey."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from kerasdream import Projection


def clip_small(
    *, share: Annotated[float, Interval(ge=0, le=1)] = 0.2, grey: Annotated[float, Interval(ge=-1, le=1)] = 0.0
) -> Projection:
    """Set the pixels nearest to grey to grey after each step: only what matters to the network is left.

    A prior under which only a given share of the pixels may differ from grey; the result is the nearest such picture.
    Yosinski et al., "Understanding Neural Networks Through Deep Visualization", 2015: "clipping pixels with small
    norm".

    Args:
        share: share of the pixels that become grey, 0 to 1.
        grey: the level, on a scale of -1 to 1.
    """

    def apply(picture):
        size = np.square(picture - grey).sum(axis=2, keepdims=True)
        return np.where(size < np.quantile(size, share), np.float32(grey), picture)

    return Projection(apply)
