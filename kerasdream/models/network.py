"""What the engine needs to know of a network: a Keras model, and how a picture becomes its input."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import keras


SIDE = 224
"""Side of the pictures that most networks were trained on."""


@dataclass(frozen=True)
class Network:
    """A network to dream with.

    Attributes:
        name: what it is called in the YAML; the key of its shipped layer table, if there is one.
        model: the Keras model, functional or sequential, with one image input.
        preprocess: ``keras.ops`` function from a picture, ``(n, height, width, 3)`` float32 RGB in [-1, 1], to the
            model's input.
        aliases: canonical layer name -> name in ``model``, where Keras numbered its layers on from an earlier network.
        size: the side in pixels of the square pictures it was trained on; None: that of ``model``'s input, or 224 where
            it is free.
    """

    name: str
    model: keras.Model
    preprocess: Callable[[Any], Any]
    aliases: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None

    @property
    def side(self) -> int:
        """The side of the pictures it is best at."""
        return self.size or self.model.inputs[0].shape[1] or SIDE


def from_range(low: float, high: float) -> Callable[[Any], Any]:
    """Returns the linear map from [-1, 1] to ``[low, high]``, the range of pixel values the model was trained on."""
    scale, shift = (high - low) / 2, (high + low) / 2

    def preprocess(picture: Any) -> Any:
        return picture * scale + shift

    return preprocess
