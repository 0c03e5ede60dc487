"""A smoothed gradient: less fine grain, larger shapes."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import Rule
from kerasdream.builtin.ascent.pictures import require_picture
from kerasdream.builtin.filters import gaussian

CASCADE = 0.5, 1.0, 2.0
"""Factors to ``sigma`` of the Gaussians that are averaged."""


def smooth(*, sigma: Annotated[float, Interval(ge=0, le=50)] = 1.0) -> Rule:
    """Smooth the gradient, so that fine grain grows more slowly than large shapes.

    g ← (G(½σ) + G(σ) + G(2σ)) * g / 3, the mean of three Gaussian blurs: broad shapes are kept, fine detail is damped
    but not lost. After Aleksa Gordić's pytorch-deepdream (2020), where σ grows from 0.5 to 2.5 within each octave and
    the kernels end at 9 pixels; here they are as wide as their Gaussian. Put it before ``normalize``.

    Args:
        sigma: standard deviation of the middle Gaussian, in pixels of the octave; 0 leaves the gradient unchanged.
    """

    def update(gradient, memory, state):
        blurred = sum(gaussian(gradient[None], factor * sigma) for factor in CASCADE)
        return blurred[0] / len(CASCADE), memory

    return Rule(update, init=lambda state: require_picture(state, "smooth"))
