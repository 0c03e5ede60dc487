"""Chroma: muted colours are more likely than saturated ones."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import Energy, ops

RED_BLUE = (0.5**0.5, 0.0, -(0.5**0.5))
GREEN_MAGENTA = (-((2 / 3) ** 0.5), 2 * (2 / 3) ** 0.5, -((2 / 3) ** 0.5))
"""The axes across grey along which natural pictures vary independently (Ohta, Kanade, Sakai 1980). They vary half as
much along the second (in ImageNet, 0.06 against 0.13 of full scale), which therefore counts double."""

TINY = 1e-12
"""Keeps the gradient of the distance from grey finite at grey."""


def chroma(*, threshold: Annotated[float, Ge(0)] = 0.5) -> Energy:
    """Prefer muted colours: bright rainbows in a dream calm down, light and dark stay as they are.

    log p = −½ mean(max(0, c − threshold)²), where c is a pixel's distance from the grey of the same lightness, in the
    decorrelated colours red − blue and green − magenta, the latter counted double. Muted colours are all equally
    likely; beyond the threshold the probability falls as a Gaussian.

    Args:
        threshold: distance from grey without a penalty; with 0, grey itself is the most likely. Most of a photograph is
            below 1, pure red is at 2.2.
    """

    def log_p(picture):
        axes = ops.transpose(ops.convert_to_tensor([RED_BLUE, GREEN_MAGENTA], "float32"))
        distance = ops.sqrt(ops.sum(ops.square(picture @ axes), axis=-1) + TINY)
        return -0.5 * ops.square(ops.relu(distance - threshold))

    return Energy(log_p, radius=0)
