"""Flip: the network sees every other step mirrored."""

from __future__ import annotations

from kerasdream import ops
from kerasdream.builtin.transforms.draws import whole_between
from kerasdream.components import Transform


def flip(*, horizontal: bool = True, vertical: bool = False) -> Transform:
    """Mirrors what the network sees in half of all steps, so that figures may look either way.

    Args:
        horizontal: left and right change places.
        vertical: top and bottom change places, independently of that.
    """

    def apply(views, seed):
        for axis, asked in ((2, horizontal), (1, vertical)):
            if asked:
                views = ops.where(whole_between(0, 1, seed) == 1, ops.flip(views, axis=axis), views)
        return views

    return Transform(apply)
