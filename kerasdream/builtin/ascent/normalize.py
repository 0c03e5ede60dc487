"""Steps of the same length, however steep the slope."""

from __future__ import annotations

from typing import Literal

from kerasdream import Rule, ops

TINY = 1e-20
"""Prevents a division by zero; gradients of a mean over a picture are as small as 1e-9."""


def normalize(*, by: Literal["mean_abs", "std", "rms", "max"] = "mean_abs") -> Rule:
    """Divide the gradient by a measure of its size over the whole picture, so that ``rate`` alone sets the pace.

    ``mean_abs`` is DeepDream's (2015), ``std`` the TensorFlow tutorial's.

    Args:
        by: the measure: mean of the absolute value, standard deviation, root mean square or largest absolute value.
    """
    measure = {
        "mean_abs": lambda g: ops.mean(ops.abs(g)),
        "std": lambda g: ops.std(g),  # ops loads Keras when it is used
        "rms": lambda g: ops.sqrt(ops.mean(ops.square(g))),
        "max": lambda g: ops.max(ops.abs(g)),
    }

    def update(gradient, memory, state):
        return gradient / (measure[by](gradient) + TINY), memory

    return Rule(update)
