"""Flip: the network sees every other step mirrored."""

from __future__ import annotations

from kerasdream import Transform, ops
from kerasdream.builtin.transforms.draws import whole_between


def flip(*, horizontal: bool = True, vertical: bool = False) -> Transform:
    """Mirror what the network sees in half of all steps, so that shapes may face either way.

    Args:
        horizontal: swap left and right.
        vertical: swap top and bottom, independently of ``horizontal``.
    """

    def apply(views, seed):
        for axis, enabled in ((2, horizontal), (1, vertical)):
            if enabled:
                views = ops.where(whole_between(0, 1, seed) == 1, ops.flip(views, axis=axis), views)
        return views

    return Transform(apply)
