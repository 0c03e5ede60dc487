"""Crop: the network sees a part of the picture, enlarged, in each step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import ops
from kerasdream.builtin.transforms.draws import between
from kerasdream.builtin.transforms.sampling import warp
from kerasdream.components import Transform

MARGIN = 8
"""Without it a gradient would be a third weaker beside a cut than elsewhere; with it, at most a tenth."""


def crop(
    *,
    low: Annotated[float, Interval(gt=0, le=1)] = 0.5,
    high: Annotated[float, Interval(gt=0, le=1)] = 1.0,
) -> Transform:
    """Shows the network a random part of every view, enlarged to the size of the view.

    Figures then form at many sizes at once, from the whole view to its smallest part. The part lies anywhere in the
    view; what is near the view's edges is seen more rarely than its middle.

    Args:
        low: smallest side of the part, as a share of the view's.
        high: largest side.
    """

    def apply(views, seed):
        side = between(low, high, seed)
        room = [(1 - side) * ops.cast(size, "float32") for size in ops.shape(views)[1:3]]
        shift = [between(-0.5, 0.5, seed) * pixels for pixels in room]
        return warp(views, ((side, 0.0), (0.0, side)), shift)

    return Transform(apply, margin=MARGIN)
