"""Random numbers of a step, the same for all its tiles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerasdream import ops


def between(low: Any, high: Any, seed: Any, shape: tuple[Any, ...] = ()) -> Any:
    """Draw numbers, one by default, uniformly from ``low`` to ``high``, which may be schedules."""
    return low + (high - low) * ops.random.uniform(shape, seed=seed, dtype="float32")


def whole_between(low: int, high: int, seed: Any) -> Any:
    """Draw a whole number from ``low`` to ``high``, both included."""
    return ops.random.randint((), low, high + 1, seed=seed, dtype="int32")


def one_of(options: Sequence[float], seed: Any) -> Any:
    """Draw one of some numbers."""
    return ops.take(ops.convert_to_tensor(list(options), "float32"), whole_between(0, len(options) - 1, seed))
