"""Networks whose channels come first, (n, channels, h, w): rebuilt so that pictures and activations are (n, h, w, c).

Processors cannot compute most layers on channels that come first. Keras's own layers are therefore changed to channels
last; for others, their inputs and outputs are transposed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerasdream.models.cloning import is_standard

POINTWISE = {
    "Activation", "ReLU", "LeakyReLU", "ELU", "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Dropout",
    "GaussianNoise", "GaussianDropout", "AlphaDropout", "Identity", "Rescaling",
}  # fmt: skip
"""Layers that treat every value by itself, so that the order of the axes means nothing to them."""


def declared(layer: Any) -> bool | None:
    """Whether a layer expects its channels first; None if it does not say."""
    if not is_standard(layer) or type(layer).__name__ == "Flatten":  # Flatten has both, whatever comes in
        return None
    order = getattr(layer, "data_format", None)
    return None if order is None else order == "channels_first"


def swapped(layer: Any) -> dict[str, Any] | None:
    """Return what to change in the configuration of a layer that sees channels first so that it sees them last.

    None if that cannot be said: then its inputs must be transposed.
    """
    import keras

    if not is_standard(layer):
        return None
    axis = getattr(layer, "axis", None)
    if getattr(layer, "data_format", None) == "channels_first":
        return {"data_format": "channels_last"}
    if axis in (1, -3):
        return {"axis": -1}
    if isinstance(axis, (list, tuple)) and list(axis) in ([1], [-3]):
        return {"axis": [-1]}
    softmax = getattr(layer, "activation", None) is keras.activations.softmax
    return {} if type(layer).__name__ in POINTWISE and not softmax else None


def to_last(tensor: Any) -> Any:
    """Return (n, c, h, w) as (n, h, w, c)."""
    import keras

    return keras.ops.transpose(tensor, (0, 2, 3, 1))


def to_first(tensor: Any) -> Any:
    """Return (n, h, w, c) as (n, c, h, w)."""
    import keras

    return keras.ops.transpose(tensor, (0, 3, 1, 2))


def permutes(layer: Any) -> bool | None:
    """Whether a layer only puts the channels first (True) or last (False); None if it does something else."""
    if type(layer).__name__ != "Permute":
        return None
    dims: Sequence[int] = tuple(layer.dims)
    return {(3, 1, 2): True, (2, 3, 1): False}.get(dims)  # type: ignore[call-overload]
