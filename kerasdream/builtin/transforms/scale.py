"""Scale: the network sees the picture slightly larger or smaller in each step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt, Len

from kerasdream import Transform
from kerasdream.builtin.transforms.draws import between, one_of
from kerasdream.builtin.transforms.sampling import MARGIN, warp


def scale(
    *,
    low: Annotated[float, Gt(0)] = 0.9,
    high: Annotated[float, Gt(0)] = 1.1,
    factors: Annotated[list[Annotated[float, Gt(0)]], Len(1)] | None = None,
) -> Transform:
    """Scale every view that the network sees by a random factor, about its centre.

    What must look right at several sizes cannot be fine grain. Bilinear; a smaller view is surrounded by its mirror
    image. From Lucid (Olah, Mordvintsev, Schubert 2017): ``{factors: [0.9, 0.92, ..., 1.1]}``.

    Args:
        low: smallest factor.
        high: largest factor; all factors in between are equally likely.
        factors: draw one of these factors instead.
    """

    def apply(views, seed):
        step = 1 / (between(low, high, seed) if factors is None else one_of(factors, seed))
        return warp(views, ((step, 0.0), (0.0, step)))

    return Transform(apply, margin=MARGIN)
