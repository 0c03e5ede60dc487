"""Chroma: muted colours are more likely than glaring ones."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import ops
from kerasdream.components import Energy

RED_BLUE = (0.5**0.5, 0.0, -(0.5**0.5))
GREEN_MAGENTA = (-((2 / 3) ** 0.5), 2 * (2 / 3) ** 0.5, -((2 / 3) ** 0.5))
"""The axes across grey along which natural pictures vary independently (Ohta, Kanade, Sakai 1980). They vary half as
much along the second (in ImageNet, 0.06 against 0.13 of full scale), which therefore counts double."""

TINY = 1e-12
"""Keeps the slope of the distance from grey finite at grey."""


def chroma(*, threshold: Annotated[float, Ge(0)] = 0.5) -> Energy:
    """Prefers muted colours: dreams of bright rainbows calm down, the light and dark of the picture stays.

    log p = −½ mean(max(0, c − threshold)²), where c is a pixel's distance from the grey of the same lightness, in the
    decorrelated colours red − blue and green − magenta, the latter counted double: muted colours are all equally
    likely, beyond them it falls as a Gaussian.

    Args:
        threshold: the distance from grey that is free; with 0 it is grey that is likely. Most of a photograph is below
            1, pure red is at 2.2.
    """

    def log_p(picture):
        axes = ops.transpose(ops.convert_to_tensor([RED_BLUE, GREEN_MAGENTA], "float32"))
        distance = ops.sqrt(ops.sum(ops.square(picture @ axes), axis=-1) + TINY)
        return -0.5 * ops.square(ops.relu(distance - threshold))

    return Energy(log_p, radius=0)
