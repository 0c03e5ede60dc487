"""What objectives on feature vectors share: a vector of the right length, a point of the picture, the cosine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Ge, Interval, MinLen

from kerasdream import ops
from kerasdream.components import Tensor
from kerasdream.errors import ConfigError, ModelError

if TYPE_CHECKING:
    import numpy as np

Fraction = Annotated[float, Interval(ge=0, le=1)]
"""A place between one edge of the picture, 0, and the other, 1."""

Direction = Annotated[list[float], MinLen(1)] | Annotated[dict[Annotated[int, Ge(0)], float], MinLen(1)] | Path
"""A number for each channel of a layer; or those that are not zero, by index; or a ``.npy`` file."""

LEAST_COSINE = 0.1
"""The cosine counts as no less than this, so that even what points away has a slope."""


def point(x: Any, y: Any) -> tuple[Any, Any] | None:
    """Returns ``(y, x)`` for ``Objective(at=...)``, the middle for what is None; None if both are."""
    return None if x is None and y is None else (0.5 if y is None else y, 0.5 if x is None else x)


def numbers_of(direction: Sequence[float] | Mapping[int, float] | Path) -> np.ndarray | Mapping[int, float]:
    """Returns the numbers of a direction, a file of them read.

    Raises:
        ConfigError: the file cannot be read, or it is no list of finite numbers.
    """
    import numpy as np

    if isinstance(direction, Mapping):
        return direction
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


def vector(numbers: np.ndarray | Mapping[int, float], layer: str, channels: int) -> Tensor:
    """Returns a direction as a tensor ``(channels,)``.

    Raises:
        ModelError: the layer has another number of channels.
    """
    import numpy as np

    if isinstance(numbers, Mapping):
        check_channels(layer, channels, numbers)
        full = np.zeros(channels, "float32")
        full[list(numbers)] = list(numbers.values())
        numbers = full
    if channels != len(numbers):
        raise ModelError(f"the layer {layer!r} has {channels} channels; the direction has {len(numbers)} numbers")
    return ops.convert_to_tensor(numbers)


def check_channels(layer: str, channels: int, indices: Iterable[int]) -> None:
    """Checks that a layer has the channels with these indices.

    Raises:
        ModelError: it has not.
    """
    for index in indices:
        if index >= channels:
            raise ModelError(f"the layer {layer!r} has {channels} channels; expected 0 to {channels - 1}, not {index}")


def dot_cosine(one: Tensor, other: Tensor, power: Any) -> Tensor:
    """Returns ``one·other · max(cosine, 0.1)^power`` over the last axis: large, and also pointing the same way."""
    dot = ops.sum(one * other, axis=-1)
    lengths = ops.sum(one * one, axis=-1) * ops.sum(other * other, axis=-1)
    cosine = dot * ops.rsqrt(lengths + 1e-12)
    return dot * ops.maximum(cosine, LEAST_COSINE) ** power
