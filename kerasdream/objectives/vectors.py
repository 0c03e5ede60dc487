"""What objectives on feature vectors share: a vector of the right length, a point of the picture, the cosine."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Interval

from kerasdream import ops
from kerasdream.components import Tensor
from kerasdream.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import numpy as np

Fraction = Annotated[float, Interval(ge=0, le=1)]
"""A place between one edge of the picture, 0, and the other, 1."""

LEAST_COSINE = 0.1
"""The cosine counts as no less than this, so that even what points away has a slope."""


def point(x: Any, y: Any) -> tuple[Any, Any] | None:
    """Returns ``(y, x)`` for ``Objective(at=...)``, the middle for what is None; None if both are."""
    return None if x is None and y is None else (0.5 if y is None else y, 0.5 if x is None else x)


def vector(direction: Sequence[float] | Path) -> np.ndarray:
    """Returns a direction in a layer's feature space, given as numbers or as a ``.npy`` file.

    Raises:
        ConfigError: the file cannot be read, or it is no list of finite numbers.
    """
    import numpy as np

    try:
        numbers = np.load(direction, allow_pickle=False) if isinstance(direction, Path) else direction
        numbers = np.asarray(numbers, "float32")
    except FileNotFoundError:
        raise ConfigError(f"the direction {direction} does not exist; numpy.save writes such a file") from None
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise ConfigError(f"the direction {direction} is no file of numbers that numpy.save wrote: {error}") from None
    if numbers.ndim != 1 or not np.isfinite(numbers).all() or not numbers.any():
        raise ConfigError(
            f"the direction has shape {numbers.shape}; expected (channels,), finite numbers of which one is not zero"
        )
    return numbers


def along(layer: str, activation: Tensor, direction: np.ndarray) -> Tensor:
    """Returns the direction as a tensor to multiply ``(n, h, w, channels)`` with.

    Raises:
        ModelError: the layer has another number of channels.
    """
    if activation.shape[-1] != len(direction):
        raise ModelError(
            f"the layer {layer!r} has {activation.shape[-1]} channels; the direction has {len(direction)} numbers"
        )
    return ops.convert_to_tensor(direction)


def dot_cosine(one: Tensor, other: Tensor, power: Any) -> Tensor:
    """Returns ``one·other · max(cosine, 0.1)^power`` over the last axis: large, and also pointing the same way."""
    dot = ops.sum(one * other, axis=-1)
    lengths = ops.sum(one * one, axis=-1) * ops.sum(other * other, axis=-1)
    cosine = dot * ops.rsqrt(lengths + 1e-12)
    return dot * ops.maximum(cosine, LEAST_COSINE) ** power
