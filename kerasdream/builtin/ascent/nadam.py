"""Nadam: Adam that looks ahead."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt, Interval

from kerasdream import Rule, ops
from kerasdream.builtin.ascent.adam import EPSILON, running

WARM = 0.96
"""The momentum of step t is beta1 · (1 − ½ · 0.96ᵗ): half of beta1 at first, all of it after a few hundred steps."""


def nadam(
    *,
    beta1: Annotated[float, Interval(ge=0, lt=1)] = 0.9,
    beta2: Annotated[float, Interval(ge=0, lt=1)] = 0.999,
    epsilon: Annotated[float, Gt(0)] = EPSILON,
) -> Rule:
    """Like ``adam``, but look ahead to where the momentum leads, and build the momentum up slowly.

    With uₜ = beta1 · (1 − ½ · 0.96ᵗ), Uₜ the product u₁ ⋯ uₜ, and m and v the running means of g and g², the step is
    (uₜ₊₁ · m / (1 − Uₜ₊₁) + (1 − uₜ) · g / (1 − Uₜ)) / (√(v / (1 − beta2ᵗ)) + epsilon): Nadam (Dozat 2016), in the form
    used by Keras. MaCo (Fel et al. 2023) optimises the phase of a Fourier image with it at ``rate: 1``. It replaces
    ``normalize``.

    Args:
        beta1: how much of the mean gradient is kept in each step.
        beta2: how much of the mean squared gradient is kept in each step.
        epsilon: gradients smaller than this make smaller steps.
    """

    def init(state):
        return {
            "mean": ops.zeros_like(state),
            "square": ops.zeros_like(state),
            "of_square": 0.0,
            "momenta": 1.0,
            "warmth": 1.0,
        }

    def update(gradient, memory, state):
        warmth = WARM * memory["warmth"]
        now, next_ = beta1 * (1 - 0.5 * warmth), beta1 * (1 - 0.5 * WARM * warmth)
        mean = running(memory["mean"], gradient, beta1)
        square = running(memory["square"], ops.square(gradient), beta2)
        of_square, momenta = running(memory["of_square"], 1.0, beta2), memory["momenta"] * now
        ahead = next_ * mean / (1 - momenta * next_) + (1 - now) * gradient / (1 - momenta)
        memory = {"mean": mean, "square": square, "of_square": of_square, "momenta": momenta, "warmth": warmth}
        return ahead / (ops.sqrt(square / of_square) + epsilon), memory

    return Rule(update, init)
