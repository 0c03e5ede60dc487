"""The length of a step."""

from __future__ import annotations

from kerasdream import Rule


def rate(*, value: float = 0.018) -> Rule:
    """Multiply the step by a factor: after ``normalize``, how far a typical pixel moves, on a scale of -1 to 1.

    DeepDream's 1.5 of 255 levels is 0.012 here.

    Args:
        value: the factor.
    """

    def update(gradient, memory, state):
        return gradient * value, memory

    return Rule(update)
