"""The way into a network: which input takes the picture, by which channels, and what the other inputs are held at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdream.components import Network, has_channels_first
from kerasdream.errors import ModelEntryError, did_you_mean
from kerasdream.models.graph import Graph

if TYPE_CHECKING:
    from collections.abc import Sequence

LUMA = (0.299, 0.587, 0.114)
"""Brightness of red, green and blue (Rec. 601), as Pillow and TensorFlow convert colour pictures to grey."""


@dataclass(frozen=True)
class Held:
    """What an input other than the picture is held at.

    Attributes:
        value: of the input's shape; or a number, for a picture, which is then as large as the view.
        shape: of the input, without batch axis.
        first: whether it is a picture with its channels first.
    """

    value: np.ndarray
    shape: tuple[int | None, ...]
    first: bool = False

    def like(self, picture: Any) -> Any:
        """Return the value once for each picture."""
        import keras

        ops = keras.ops
        count, height, width = ops.shape(picture)[:3]
        shape = self.value.shape
        if not shape and len(self.shape) == 3:
            channels = self.shape[0 if self.first else 2] or 1
            shape = (channels, height, width) if self.first else (height, width, channels)
        return ops.broadcast_to(ops.convert_to_tensor(self.value), (count, *shape))


@dataclass(frozen=True)
class Door:
    """How a preprocessed picture becomes the inputs of a network.

    Attributes:
        picture: the number of the input that takes it.
        channels: of that input.
        first: whether its channels come before height and width.
        flat: whether it has no axis for channels.
        brought: channels of the preprocessed picture: as many as the network has, or three.
        shown: the network's channels that receive red, green and blue, or the one that receives the brightness.
        rest: the value of the other channels.
        held: number of another input -> its value.
        size: (height, width) of the only pictures that the network was built for; None: any.
        notes: what the user should hear.
    """

    picture: int
    channels: int
    first: bool = False
    flat: bool = False
    brought: int = 3
    shown: tuple[int, ...] = ()
    rest: float = 0.0
    held: Mapping[int, Held] = field(default_factory=dict)
    size: tuple[int, int] | None = None
    notes: tuple[str, ...] = ()

    @property
    def as_it_is(self) -> bool:
        """Whether the preprocessed picture is the network's picture."""
        return self.brought == self.channels and self.shown == tuple(range(self.channels))

    def enter(self, picture: Any) -> Any:
        """Return the network's picture, (n, h, w, channels), from the preprocessed one, (n, h, w, brought)."""
        import keras

        ops = keras.ops
        colours = [picture[..., channel] for channel in range(self.brought)]
        if len(self.shown) == 1:
            mean = sum(colours) / 3
            luma = sum(weight * colour for weight, colour in zip(LUMA, colours, strict=True))
            # The picture is seen by its brightness; a change of brightness adds the same to red, green and blue.
            colours = [mean + ops.stop_gradient(luma - mean)]
        given = dict(zip(self.shown, colours, strict=False))
        rest = ops.full_like(picture[..., 0], self.rest)
        return ops.stack([given.get(channel, rest) for channel in range(self.channels)], axis=-1)


def door_of(network: Network, graph: Graph, involved: Collection[int], layers: str, *, plain: bool = False) -> Door:
    """Return the way into a network for layers that depend on these values.

    Args:
        layers: the names of these layers, for messages.
        plain: the pictures are as the network takes them, but always (n, h, w, channels).

    Raises:
        ModelEntryError: it is not clear which input takes the picture, or an input has no value.
    """
    for name in network.inputs:
        if name not in _names(graph):
            raise ModelEntryError(f"inputs: {network.name} has no input {name!r}; {did_you_mean(name, _names(graph))}")
    needed = {number: tensor for number, tensor in enumerate(graph.inputs) if number in involved}
    picture = _picture_input(network, needed, layers)
    shape = graph.inputs[picture].shape
    flat = len(shape) == 3
    first = not flat and has_channels_first(shape, network.model)
    channels = 1 if flat else int(shape[1 if first else 3] or 3)
    held = {number: _held(network, needed[number], layers) for number in needed if number != picture}
    size = shape[2:] if first else shape[1:3]
    door = Door(picture, channels, first, flat, channels, tuple(range(channels)), held=held, size=_fixed(size))
    if plain:
        return door
    middle = np.asarray(network.preprocess(np.zeros((1, 8, 8, 3), "float32")))
    brought = middle.shape[-1]
    if brought not in (3, channels):
        raise ModelEntryError(
            f"preprocess returns {brought} channels, but {network.name} takes {channels}; expected {channels}, or "
            "three, red, green and blue, which are then converted"
        )
    idle = [name for number, name in enumerate(_names(graph)) if name in network.inputs and number not in needed]
    notes = [f"inputs: {', '.join(idle)} has no effect: {layers} does not depend on it"] if idle else []
    shown = tuple(range(channels))
    if brought == 3:
        shown = _shown(network, channels)
        notes += _channel_notes(channels, shown)
    return replace(door, brought=brought, shown=shown, rest=float(middle.mean()), notes=tuple(notes))


def _fixed(size: Sequence[int | None]) -> tuple[int, int] | None:
    height, width = size
    return None if height is None or width is None else (height, width)


def _names(graph: Graph) -> list[str]:
    return [tensor.name for tensor in graph.inputs]


def _picture_input(network: Network, needed: Mapping[int, Any], layers: str) -> int:
    """Return the number of the input that takes the picture."""
    free = {number: tensor for number, tensor in needed.items() if tensor.name not in network.inputs}
    able = [number for number, tensor in free.items() if len(tensor.shape) == 4]
    able = able or [number for number, tensor in free.items() if _is_flat_picture(tensor.shape)]
    if len(able) == 1:
        return able[0]
    if not able:
        shapes = ", ".join(f"{tensor.name} {tuple(tensor.shape)}" for tensor in (free or needed).values())
        raise ModelEntryError(
            f"the model {network.name!r} takes {shapes or 'nothing'} for {layers}; expected one image, (None, height, "
            "width, channels), that is not held by inputs"
        )
    names = [needed[number].name for number in able]
    raise ModelEntryError(
        f"the model {network.name!r} takes several pictures for {layers}: {', '.join(names)}; which one is dreamed? "
        f"Hold the others: inputs: {{{', '.join(f'{name}: 0' for name in names[1:])}}} dreams {names[0]}"
    )


def _is_flat_picture(shape: Sequence[int | None]) -> bool:
    """Whether an input is a grey picture without an axis for channels, (n, height, width)."""
    return len(shape) == 3 and shape[1] == shape[2]


def _held(network: Network, tensor: Any, layers: str) -> Held:
    """Return what an input other than the picture is held at."""
    name, shape = tensor.name, tuple(tensor.shape[1:])
    expected = "a number" if None in shape or not shape else f"{' × '.join(map(str, shape))} numbers"
    what = f"{expected}, in a list or a .npy file, or one number for all"
    if name not in network.inputs:
        raise ModelEntryError(
            f"the model {network.name!r} needs more than a picture for {layers}: {name}, {what}; give it, as in "
            f"inputs: {{{name}: 0}}, or select a layer that depends on the picture only"
        )
    given = network.inputs[name]
    try:
        value = np.load(given, allow_pickle=False) if isinstance(given, (str, Path)) else np.asarray(given)
        value = value.astype(tensor.dtype if tensor.dtype != "bfloat16" else "float32")
    except (OSError, ValueError, TypeError) as error:
        raise ModelEntryError(f"inputs: {name}: expected {what}; {error}") from error
    value = value[0] if value.shape == (1, *shape) else value
    first = len(shape) == 3 and has_channels_first(tensor.shape, network.model)
    if value.size == 1 and len(shape) == 3:
        return Held(value.reshape(()), shape, first)
    if value.size == 1 and None not in shape:
        return Held(np.broadcast_to(value.reshape(()), shape), shape)
    if len(value.shape) != len(shape) or any(
        one not in (None, two) for one, two in zip(shape, value.shape, strict=True)
    ):
        raise ModelEntryError(f"inputs: {name} has the shape {value.shape}; expected {what}")
    return Held(value, shape, first)


def _shown(network: Network, channels: int) -> tuple[int, ...]:
    """Return the channels that receive red, green and blue, or the brightness."""
    shown = tuple(range(channels))[:3] if network.channels is None else tuple(network.channels)
    if not 1 <= len(shown) <= 3 or len(set(shown)) < len(shown) or not all(0 <= each < channels for each in shown):
        raise ModelEntryError(
            f"channels: {list(shown)} does not fit {network.name}, whose pictures have {channels}, numbered from 0 to "
            f"{channels - 1}; expected three different ones, for red, green and blue, or one, for the brightness"
        )
    return shown


def _channel_notes(channels: int, shown: tuple[int, ...]) -> list[str]:
    """Say which channels the network sees, if it does not simply see red, green and blue."""
    if channels == 3 and len(shown) == 3:
        return []
    if channels == 1:
        return ["the network sees grey: it changes the brightness of the picture, not its colours"]
    if len(shown) == 1:
        said = f"its channel {shown[0]} sees the picture's brightness"
    else:
        colours = " and ".join(", ".join(("red", "green", "blue")[: len(shown)]).rsplit(", ", 1))
        said = f"{colours} are its channels {', '.join(map(str, shown))}"
    others = [channel for channel in reversed(range(channels)) if channel not in shown] + list(shown)
    return [
        f"the network has {channels} channels: {said}; the others are held at middle grey (channels: "
        f"{others[: len(shown)]}, say, chooses others)"
    ]
