"""Crop: the network sees an enlarged part of the picture in each step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import Transform, ops
from kerasdream.builtin.transforms.draws import between
from kerasdream.builtin.transforms.sampling import warp

MARGIN = 8
"""Without this margin a gradient would be a third weaker next to a cut than elsewhere; with it, at most a tenth."""


def crop(
    *,
    low: Annotated[float, Interval(gt=0, le=1)] = 0.5,
    high: Annotated[float, Interval(gt=0, le=1)] = 1.0,
) -> Transform:
    """Show the network a random part of every view, enlarged to the size of the view.

    Shapes then form at many sizes at once, from the whole view to its smallest part. The part may be anywhere in the
    view, so the network sees the view's edges less often than its middle.

    Args:
        low: smallest side of the part, as a share of the view's side.
        high: largest side.
    """

    def apply(views, seed):
        side = between(low, high, seed)
        rooms = [(1 - side) * ops.cast(size, "float32") for size in ops.shape(views)[1:3]]
        down, across = (between(-0.5, 0.5, seed) * room for room in rooms)
        return warp(views, ((side, 0.0), (0.0, side)), (down, across))

    return Transform(apply, margin=MARGIN)
