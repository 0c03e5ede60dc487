"""Brightness: the light changes from step to step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream.builtin.transforms.draws import between
from kerasdream.components import Transform


def brightness(*, amount: Annotated[float, Interval(ge=0, le=2)] = 0.1) -> Transform:
    """Makes what the network sees brighter or darker at random, so that a dream does not hang on one exposure.

    Args:
        amount: what is added or taken away at most, on a scale of -1 to 1.
    """
    return Transform(lambda views, seed: views + between(-amount, amount, seed))
