"""Notice an input range that contradicts the network's own Rescaling and Normalization layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from kerasdream.components import Network, from_range
from kerasdream.errors import ModelEntryError
from kerasdream.models.cloning import is_standard
from kerasdream.models.door import Door
from kerasdream.models.graph import Call

USUAL = ((0, 255), (0, 1), (-1, 1))
"""The ranges that networks are trained on."""

TARGETS = ((0, 1), (-1, 1), (-0.5, 0.5), (0, 255), (-127.5, 127.5))
"""Ranges that a Rescaling makes of them."""

CERTAIN = 20
"""A range that is this many times too narrow or too wide is certainly wrong."""

SCALING = ("Rescaling", "Normalization")
"""Layers that scale pixel values."""

UNCHANGED = ("Identity", "Dropout", "SpatialDropout2D", "GaussianNoise", "ZeroPadding2D", "Resizing", "CenterCrop")
"""Layers that a picture passes without a change of its range; so it does augmentations, ``Random...``."""


class Range(NamedTuple):
    """The lowest and highest value that reach a network's first layer with weights; the widest span of a channel."""

    low: float
    high: float
    span: float


def check_range(network: Network, door: Door, calls: Sequence[Call]) -> list[str]:
    """Return a note if another range of pixel values than the one given suits the network's own layers.

    Raises:
        ModelEntryError: the one given is certainly wrong.
    """
    path = _scaling(door, calls)
    if not any(type(call.layer).__name__ in SCALING for call in path):
        return []
    given = _seen(network, door, path)
    if _suits(given, path):
        return []
    others = {usual: _seen(replace(network, preprocess=from_range(*usual)), door, path) for usual in USUAL}
    better = [usual for usual, seen in others.items() if _suits(seen, path)]
    if not better:
        return []
    best = others[better[0]]
    names = " and ".join(call.layer.name for call in path if type(call.layer).__name__ in SCALING)
    low, high = (np.asarray(network.preprocess(np.full((1, 1, 1, 3), end, "float32"))) for end in (-1, 1))
    text = (
        f"{network.name} scales its pictures itself (layer {names}): pixel values from {low.min():.3g} to "
        f"{high.max():.3g} become {given.low:.3g} to {given.high:.3g}; type input_range: "
        f"[{better[0][0]}, {better[0][1]}], with which they become {best.low:.3g} to {best.high:.3g}"
    )
    if not best.span / CERTAIN < given.span < best.span * CERTAIN:
        raise ModelEntryError(text)
    return [text]


def _scaling(door: Door, calls: Sequence[Call]) -> list[Call]:
    """Return the calls that the picture passes one by one before the first that is neither scaling nor nothing."""
    value = door.picture
    path: list[Call] = []
    while True:
        readers = [call for call in calls if value in call.inputs]
        if len(readers) != 1 or not is_standard(readers[0].layer):
            return path
        kind = type(readers[0].layer).__name__
        if kind not in (*SCALING, *UNCHANGED) and not kind.startswith("Random"):
            return path
        path.append(readers[0])
        value = readers[0].outputs[0]


def _seen(network: Network, door: Door, path: Sequence[Call]) -> Range:
    """Return the values that the layers make of a black and of a white picture."""
    ends = [_after(network.preprocess(np.full((1, 1, 1, 3), end, "float32")), door, path) for end in (-1, 1)]
    return Range(float(np.min(ends)), float(np.max(ends)), float(np.abs(ends[1] - ends[0]).max()))


def _after(picture: Any, door: Door, path: Sequence[Call]) -> np.ndarray:
    import keras

    picture = picture if door.as_it_is else door.enter(keras.ops.convert_to_tensor(picture))
    values = np.asarray(picture)[..., list(door.shown)]
    values = np.broadcast_to(values.mean(), (*values.shape[:3], door.channels)) if not door.as_it_is else values
    values = values.transpose(0, 3, 1, 2) if door.first else values[..., 0] if door.flat else values
    for call in path:
        if type(call.layer).__name__ in SCALING:
            values = np.asarray(call.layer(values), "float32")
    return values


def _suits(seen: Range, path: Sequence[Call]) -> bool:
    """Whether values are as networks expect them after these layers."""
    if any(type(call.layer).__name__ == "Normalization" for call in path) and seen.low < -0.3 < 0.3 < seen.high:
        return 1 <= seen.span <= 12
    return any(
        abs(seen.low - low) <= 0.02 * (high - low) and abs(seen.high - high) <= 0.02 * (high - low)
        for low, high in TARGETS
    )
