"""Colour shift: each channel has another brightness and another spread in each step."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import Transform, ops
from kerasdream.builtin.transforms.draws import between


def color_shift(*, mean: Annotated[float, Ge(0)] = 1.0, spread: Annotated[float, Ge(0)] = 1.0) -> Transform:
    """Change brightness and spread of red, green and blue at random, each by itself: ``(x - m) / exp(s)``.

    What survives does not depend on the colours' level or contrast. It replaces priors where networks have no use for
    those of convolutions, as in vision transformers.

    Source: Ghiasi et al., "Plug-In Inversion: Model-Agnostic Inversion for Vision with Data Augmentations", ICML 2022
    (ColorShift, with 1 and 1).

    Args:
        mean: the largest shift ``m``, up or down, on a scale of -1 to 1.
        spread: the largest logarithm ``s`` of the factor: 1 for contrasts from 1/e to e times as high.
    """

    def apply(views, seed):
        shift = between(-mean, mean, seed, (1, 1, 1, 3))
        return (views - shift) * ops.exp(between(-spread, spread, seed, (1, 1, 1, 3)))

    return Transform(apply)
