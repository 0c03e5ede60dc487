"""Limit the length of steps."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Gt

from kerasdream import Rule, ops
from kerasdream.builtin.ascent.normalize import TINY


def clip(*, limit: Annotated[float, Gt(0)] = 3.0, by: Literal["value", "rms", "norm"] = "value") -> Rule:
    """Limit the gradient: single pixels that would jump (``value``), or steps that are too long as a whole.

    ``value``: each number of g is clipped at ±limit; after ``normalize`` the limit is a multiple of the usual size.
    ``rms``, ``norm``: if the root mean square of g, or √Σg², is larger than the limit, all of g is scaled down by one
    factor (Pascanu, Mikolov, Bengio 2013). The norm grows with the number of pixels, the root mean square does not.

    Args:
        limit: the largest number, root mean square or norm.
        by: what is limited.
    """
    sizes = {
        "rms": lambda g: ops.sqrt(ops.mean(ops.square(g))),
        "norm": lambda g: ops.sqrt(ops.sum(ops.square(g))),
    }

    def update(gradient, memory, state):
        if by == "value":
            return ops.clip(gradient, -limit, limit), memory
        return gradient * ops.minimum(1.0, limit / (sizes[by](gradient) + TINY)), memory

    return Rule(update)
