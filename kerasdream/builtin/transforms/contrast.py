"""Contrast: higher or lower from step to step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import Transform
from kerasdream.builtin.transforms.draws import between


def contrast(*, low: Annotated[float, Ge(0)] = 0.8, high: Annotated[float, Ge(0)] = 1.2) -> Transform:
    """Show the network the picture with more or less contrast, about mid-grey, by a random factor.

    Args:
        low: smallest factor.
        high: largest factor.
    """
    return Transform(lambda views, seed: views * between(low, high, seed))
