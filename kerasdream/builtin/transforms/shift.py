"""Shift: the network sees the picture moved by a few pixels in each step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import Transform, ops
from kerasdream.builtin.filters import mirrored
from kerasdream.builtin.transforms.draws import whole_between


def shift(*, pixels: Annotated[int, Ge(0)] = 4) -> Transform:
    """Move what the network sees within each view by a random number of whole pixels; the edges are mirrored.

    ``jitter`` moves the tiling and costs nothing; this transform can be placed between others. Lucid's jitter of 8 is a
    shift of up to 4 pixels to each side.

    Args:
        pixels: largest shift up, down, left and right.
    """

    def apply(views, seed):
        for axis in (1, 2):
            size = ops.shape(views)[axis]
            places = ops.arange(size) + whole_between(-pixels, pixels, seed)
            views = ops.take(views, mirrored(places, size), axis=axis)
        return views

    return Transform(apply, margin=pixels)
