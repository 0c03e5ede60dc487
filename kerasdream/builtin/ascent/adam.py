"""Adam: a pace of its own for every pixel."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt, Interval

from kerasdream import ops
from kerasdream.components import Rule

EPSILON = 1e-12
"""Gradients of a mean over a picture are as small as 1e-9 a pixel: the paper's 1e-8 would stop them."""


def adam(
    *,
    beta1: Annotated[float, Interval(ge=0, lt=1)] = 0.9,
    beta2: Annotated[float, Interval(ge=0, lt=1)] = 0.999,
    epsilon: Annotated[float, Gt(0)] = EPSILON,
) -> Rule:
    """Gives each pixel a pace of its own: quiet regions move as far as busy ones, what changes its mind moves less.

    With m and v the running means of g and g², each divided by what its weights add up to (m̂ = m / (1 − beta1ᵗ),
    v̂ = v / (1 − beta2ᵗ)), the step is m̂ / (√v̂ + epsilon): Adam (Kingma and Ba 2015, algorithm 1). It takes the place
    of ``normalize``; a pixel moves by at most about ``rate``, which stands behind it: 0.02 suits photos, and Lucid
    draws with 0.05 (in a Fourier parametrization).

    Args:
        beta1: how much of the mean gradient is kept in each step.
        beta2: how much of the mean squared gradient is kept in each step.
        epsilon: gradients smaller than this make smaller steps.
    """

    def init(state):
        return {"mean": ops.zeros_like(state), "square": ops.zeros_like(state), "of_mean": 0.0, "of_square": 0.0}

    def update(gradient, memory, state):
        memory = {
            "mean": running(memory["mean"], gradient, beta1),
            "square": running(memory["square"], ops.square(gradient), beta2),
            "of_mean": running(memory["of_mean"], 1.0, beta1),
            "of_square": running(memory["of_square"], 1.0, beta2),
        }
        size = ops.sqrt(memory["square"] / memory["of_square"])
        return memory["mean"] / memory["of_mean"] / (size + epsilon), memory

    return Rule(update, init)


def running(mean, value, beta):
    """A running mean's next value; of 1, the sum of its weights so far: 1 − betaᵗ, also where beta is a schedule."""
    return beta * mean + (1 - beta) * value
