"""Brightness: the light changes from step to step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import Transform
from kerasdream.builtin.transforms.draws import between


def brightness(*, amount: Annotated[float, Interval(ge=0, le=2)] = 0.1) -> Transform:
    """Make what the network sees randomly brighter or darker, so that a dream does not depend on one exposure.

    Args:
        amount: the largest change, up or down, on a scale of -1 to 1.
    """
    return Transform(lambda views, seed: views + between(-amount, amount, seed))
