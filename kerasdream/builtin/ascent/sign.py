"""The same step for every pixel."""

from __future__ import annotations

from kerasdream import Rule, ops


def sign() -> Rule:
    """Move every colour of every pixel by the same amount, up or down, however weak its gradient is.

    sign(g), the fast gradient sign method (Goodfellow, Shlens, Szegedy 2015): flat regions are dreamed as strongly as
    busy ones, with much grain. It replaces ``normalize``; ``rate`` is how far each pixel moves.
    """
    return Rule(lambda gradient, memory, state: (ops.sign(gradient), memory))
