"""Momentum: steps that agree add up, steps that contradict each other cancel."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import Rule, ops


def momentum(*, decay: Annotated[float, Interval(ge=0, lt=1)] = 0.9, nesterov: bool = False) -> Rule:
    """Continue in the direction of earlier steps: what every step agrees on grows, what jitter stirs up cancels.

    v ← decay · v + g; the step is v (Polyak 1964), or with Nesterov's look-ahead decay · v + g (Nesterov 1983, in the
    form of Sutskever et al. 2013 that Keras's SGD has). Where all steps agree, v grows to 1 / (1 − decay) times a
    single step: make ``rate`` smaller by that factor. Put it between ``normalize`` and ``rate``, so that all steps
    count equally.

    Args:
        decay: how much of the earlier steps is kept in each step.
        nesterov: look ahead to where the momentum will lead.
    """

    def update(gradient, memory, state):
        memory = decay * memory + gradient
        return decay * memory + gradient if nesterov else memory, memory

    return Rule(update, init=ops.zeros_like)
