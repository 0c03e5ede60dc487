"""Sparse pictures: pixels that are nearly grey become grey."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream.components import Projection


def clip_small(
    *, share: Annotated[float, Interval(ge=0, le=1)] = 0.2, grey: Annotated[float, Interval(ge=-1, le=1)] = 0.0
) -> Projection:
    """Sets the pixels nearest to grey to grey after each step: only what the network cares for is left, on nothing.

    A prior under which only so many pixels are anything but grey: of those pictures it takes the nearest. Yosinski et
    al., "Understanding Neural Networks Through Deep Visualization", 2015: "clipping pixels with small norm".

    Args:
        share: of the pixels that become grey, 0 to 1.
        grey: the level, on a scale of -1 to 1.
    """

    def apply(picture):
        import numpy as np

        size = np.square(picture - grey).sum(axis=2, keepdims=True)
        return np.where(size < np.quantile(size, share), np.float32(grey), picture)

    return Projection(apply)
