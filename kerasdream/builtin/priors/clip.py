"""Bounds after each step: the picture stays away from black and white."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from kerasdream import Projection


def clip(
    *, low: Annotated[float, Interval(ge=-1, le=0)] = -0.9, high: Annotated[float, Interval(ge=0, le=1)] = 0.9
) -> Projection:
    """Clip whatever is darker or brighter than the bounds after each step.

    The result is the nearest picture within the bounds, and all of those are equally likely: the uniform distribution.
    Without this prior the bounds are black and white.

    Args:
        low: the darkest value, on a scale of -1 (black) to 1 (white).
        high: the brightest value.
    """
    return Projection(lambda picture: picture.clip(low, high))


def soft_clip(*, knee: Annotated[float, Interval(ge=0, lt=1)] = 0.7) -> Projection:
    """Bend very dark and very bright pixels back after each step: tones fade out rather than burn out.

    Beyond the knee, |x| becomes knee + room · tanh((|x| − knee) / room), with room = 1 − knee. Because it happens in
    each step, whatever nothing drives outwards settles at the knee. The projection that corresponds to
    ``infinity_norm``.

    Args:
        knee: the distance from mid-grey up to which nothing changes, on a scale of 0 to 1.
    """
    room = 1 - knee

    def apply(picture):
        size = np.abs(picture)
        return np.where(size <= knee, picture, np.sign(picture) * (knee + room * np.tanh((size - knee) / room)))

    return Projection(apply)
