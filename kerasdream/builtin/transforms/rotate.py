"""Rotate: the network sees the picture slightly turned in each step."""

from __future__ import annotations

from math import pi
from typing import Annotated

from annotated_types import Interval, Len

from kerasdream import Transform, ops
from kerasdream.builtin.transforms.draws import between, one_of
from kerasdream.builtin.transforms.sampling import MARGIN, warp


def rotate(
    *,
    degrees: Annotated[float, Interval(ge=0, le=180)] = 10.0,
    angles: Annotated[list[float], Len(1)] | None = None,
) -> Transform:
    """Rotate every view that the network sees by a random angle about its centre.

    Shapes come out round and whole where the network must recognise them at any angle. Bilinear; the corners that come
    in show the view's mirror image. From Lucid (Olah, Mordvintsev, Schubert 2017): ``{angles: [-10, -9, ..., 10]}``.

    Args:
        degrees: largest angle to either side; all angles in between are equally likely.
        angles: draw one of these angles instead, in degrees, counter-clockwise.
    """

    def apply(views, seed):
        angle = (between(-degrees, degrees, seed) if angles is None else one_of(angles, seed)) * (pi / 180)
        cosine, sine = ops.cos(angle), ops.sin(angle)
        return warp(views, ((cosine, sine), (-sine, cosine)))

    return Transform(apply, margin=MARGIN)
