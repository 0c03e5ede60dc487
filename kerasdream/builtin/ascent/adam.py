"""Adam: a separate step size for every pixel."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt, Interval

from kerasdream import Rule, ops

EPSILON = 1e-12
"""Gradients of a mean over a picture are as small as 1e-9 a pixel: the paper's 1e-8 would suppress them."""


def adam(
    *,
    beta1: Annotated[float, Interval(ge=0, lt=1)] = 0.9,
    beta2: Annotated[float, Interval(ge=0, lt=1)] = 0.999,
    epsilon: Annotated[float, Gt(0)] = EPSILON,
) -> Rule:
    """Give each pixel a step size of its own: quiet regions move as far as busy ones, indecisive pixels move less.

    With m and v the running means of g and g², each divided by the sum of its weights (m̂ = m / (1 − beta1ᵗ),
    v̂ = v / (1 − beta2ᵗ)), the step is m̂ / (√v̂ + epsilon): Adam (Kingma and Ba 2015, algorithm 1). It replaces
    ``normalize``; a pixel moves by at most about ``rate``, which follows it: 0.02 suits photos, and Lucid draws with
    0.05 (in a Fourier parametrization).

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
    """Return the next value of a running mean; for value 1, the sum of the weights: 1 − betaᵗ, also for a schedule."""
    return beta * mean + (1 - beta) * value
