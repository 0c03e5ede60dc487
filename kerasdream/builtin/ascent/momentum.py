"""Momentum: steps that agree add up, steps that contradict each other cancel."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import ops
from kerasdream.components import Rule


def momentum(*, decay: Annotated[float, Interval(ge=0, lt=1)] = 0.9, nesterov: bool = False) -> Rule:
    """Goes on in the direction of the steps before: what every step agrees on grows, what jitter stirs up cancels.

    v ← decay · v + g; the step is v (Polyak 1964), or with Nesterov's look ahead decay · v + g (Nesterov 1983, in the
    form of Sutskever et al. 2013 that Keras's SGD has). Where all agree, v grows to 1 / (1 − decay) times a single
    step: let ``rate`` be smaller by that factor. Put it between ``normalize`` and ``rate``: all steps then count alike.

    Args:
        decay: how much of the steps before is kept in each step.
        nesterov: look ahead to where the momentum will lead.
    """

    def update(gradient, memory, state):
        memory = decay * memory + gradient
        return decay * memory + gradient if nesterov else memory, memory

    return Rule(update, init=ops.zeros_like)
