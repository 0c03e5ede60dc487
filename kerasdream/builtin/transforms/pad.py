"""Pad: a frame around what the network sees."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import Transform, ops


def pad(
    *, pixels: Annotated[int, Interval(ge=0, le=16_384)] = 12, value: Annotated[float, Interval(ge=-1, le=1)] = 0.0
) -> Transform:
    """Put a plain frame around what the network sees, so that shapes end before the picture does.

    Nothing of the picture is covered: every view is cut larger by the frame, and at the picture's edges the frame
    covers the mirrored border. A tile also has its frame where the next tile continues. Lucid's first transform (Olah,
    Mordvintsev, Schubert 2017), there 12 pixels of mid-grey; put it first.

    Args:
        pixels: width of the frame.
        value: its colour: black -1, mid-grey 0, white 1.
    """

    def apply(views, seed):
        inside = [(places >= pixels) & (places < size - pixels) for size, places in _axes(views)]
        return ops.where(inside[0][:, None, None] & inside[1][:, None], views, value)

    return Transform(apply, margin=pixels)


def _axes(views):
    for size in ops.shape(views)[1:3]:
        yield size, ops.arange(size)
