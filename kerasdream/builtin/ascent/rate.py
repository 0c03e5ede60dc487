"""The length of a step."""

from __future__ import annotations

from kerasdream.components import Rule


def rate(*, value: float = 0.018) -> Rule:
    """Multiplies the step by a factor: behind ``normalize``, how far a typical pixel moves, on a scale of -1 to 1.

    DeepDream's 1.5 of 255 levels is 0.012 here.

    Args:
        value: the factor.
    """

    def update(gradient, memory, state):
        return gradient * value, memory

    return Rule(update)
