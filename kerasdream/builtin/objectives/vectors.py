"""Shared by objectives on feature vectors: a vector of the right length, a point of the picture, the cosine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from annotated_types import Ge, Interval, MinLen

from kerasdream import ConfigError, ModelError, Objective, ops

Fraction = Annotated[float, Interval(ge=0, le=1)]
"""A place between one edge of the picture, 0, and the opposite edge, 1."""

Direction = Annotated[list[float], MinLen(1)] | Annotated[dict[Annotated[int, Ge(0)], float], MinLen(1)] | Path
"""One number per channel of a layer; or the non-zero ones, by index; or a ``.npy`` file."""

LEAST_COSINE = 0.1
"""Lower bound of the cosine, so that even vectors that point away have a gradient."""


def along(
    layer: str,
    direction: Sequence[float] | Mapping[int, float] | Path,
    product: Callable[[Any, Any], Any],
    x: Any,
    y: Any,
) -> Objective:
    """Return the objective of a layer's activations along a direction.

    Args:
        product: ``(activation, vector) -> density``, ``(n, h, w, channels), (channels,) -> (n, h, w)``.
        x, y: look only at this point, as fractions of the picture; None and None: everywhere.
    """
    numbers = numbers_of(direction)

    def density(activations):
        return product(activations[layer], vector(numbers, layer, activations[layer].shape[-1]))

    return Objective(layer, density, at=point(x, y))


def point(x: Any, y: Any) -> tuple[Any, Any] | None:
    """Return ``(y, x)`` for ``Objective(at=...)``, with the middle for a None; None if both are None."""
    return None if x is None and y is None else (0.5 if y is None else y, 0.5 if x is None else x)


def numbers_of(direction: Sequence[float] | Mapping[int, float] | Path) -> np.ndarray | Mapping[int, float]:
    """Return the numbers of a direction, read from its file if it is one.

    Raises:
        ConfigError: the file cannot be read, or it is not a list of finite numbers.
    """
    if isinstance(direction, Mapping):
        return direction
    try:
        numbers = np.load(direction, allow_pickle=False) if isinstance(direction, Path) else direction
        numbers = np.asarray(numbers, "float32")
    except FileNotFoundError:
        raise ConfigError(f"the direction {direction} does not exist; create it with numpy.save") from None
    except (OSError, ValueError, TypeError, EOFError) as error:
        raise ConfigError(f"the direction {direction} is not an array file of numpy.save: {error}") from None
    if numbers.ndim != 1 or not np.isfinite(numbers).all() or not numbers.any():
        raise ConfigError(
            f"the direction has shape {numbers.shape}; expected (channels,): finite numbers that are not all zero"
        )
    return numbers


def vector(numbers: np.ndarray | Mapping[int, float], layer: str, channels: int) -> Any:
    """Return a direction as a tensor ``(channels,)``.

    Raises:
        ModelError: the layer has a different number of channels.
    """
    if isinstance(numbers, Mapping):
        check_channels(layer, channels, numbers)
        full = np.zeros(channels, "float32")
        full[list(numbers)] = list(numbers.values())
        numbers = full
    if channels != len(numbers):
        raise ModelError(f"the layer {layer!r} has {channels} channels; the direction has {len(numbers)} numbers")
    return ops.convert_to_tensor(numbers)


def check_channels(layer: str, channels: int, indices: Iterable[int]) -> None:
    """Check that a layer has the channels with these indices.

    Raises:
        ModelError: it does not.
    """
    for index in indices:
        if index >= channels:
            raise ModelError(f"the layer {layer!r} has {channels} channels; expected 0 to {channels - 1}, not {index}")


def dot_cosine(one: Any, other: Any, power: Any) -> Any:
    """Return ``one·other · max(cosine, 0.1)^power`` over the last axis: large where both point the same way."""
    dot = ops.sum(one * other, axis=-1)
    lengths = ops.sum(one * one, axis=-1) * ops.sum(other * other, axis=-1)
    cosine = dot * ops.rsqrt(lengths + 1e-12)
    return dot * ops.maximum(cosine, LEAST_COSINE) ** power
