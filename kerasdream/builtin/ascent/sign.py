"""Every pixel the same step."""

from __future__ import annotations

from kerasdream import ops
from kerasdream.components import Rule


def sign() -> Rule:
    """Moves every colour of every pixel by the same amount, up or down, however weak its gradient is.

    sign(g), the fast gradient sign method (Goodfellow, Shlens, Szegedy 2015): flat regions are dreamed as hard as busy
    ones, with much grain. It takes the place of ``normalize``; ``rate`` is how far each pixel moves.
    """
    return Rule(lambda gradient, memory, state: (ops.sign(gradient), memory))
