"""Bounds after each step: the picture stays off black and white."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream.components import Projection


def clip(
    *, low: Annotated[float, Interval(ge=-1, le=0)] = -0.9, high: Annotated[float, Interval(ge=0, le=1)] = 0.9
) -> Projection:
    """Cuts off what is darker or brighter than the bounds after each step.

    It takes the nearest of the pictures within the bounds, all of which are equally likely: the uniform distribution.
    Without it the bounds are black and white.

    Args:
        low: the darkest, on a scale of -1 (black) to 1 (white).
        high: the brightest.
    """
    return Projection(lambda picture: picture.clip(low, high))


def soft_clip(*, knee: Annotated[float, Interval(ge=0, lt=1)] = 0.7) -> Projection:
    """Bends very dark and very bright pixels back after each step: tones fade out rather than burn out.

    Beyond the knee, |x| becomes knee + room · tanh((|x| − knee) / room), with room = 1 − knee. As it is done in each
    step, what nothing drives outwards comes to rest at the knee: the projection that goes with ``infinity_norm``.

    Args:
        knee: the distance from middle grey up to which nothing changes, on a scale of 0 to 1.
    """
    room = 1 - knee

    def apply(picture):
        import numpy as np

        size = np.abs(picture)
        return np.where(size <= knee, picture, np.sign(picture) * (knee + room * np.tanh((size - knee) / room)))

    return Projection(apply)
