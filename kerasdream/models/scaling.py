"""From the picture's values to those a network expects: given by name or numbers, or by the network's own layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
from annotated_types import Gt, MinLen
from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from kerasdream.components import from_range
from kerasdream.errors import ModelError
from kerasdream.models.graph import is_graph

SPREAD = 0.9, 12.0
"""Widths of the ranges that networks are trained on, from [0, 1] to standard scores, but for [0, 255] itself."""


class Standardization(BaseModel):
    """``(value - mean) / std`` for each colour."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    mean: Annotated[list[float], MinLen(1)] = Field(description="Subtracted from each channel, in the order given.")
    std: list[Annotated[float, Gt(0)]] = Field(default=[1.0], description="Divides each channel.")
    order: Literal["rgb", "bgr"] = Field(default="rgb", description="Order of the channels.")
    scale: Literal[1, 255] = Field(default=1, description="White before the mean is subtracted: 1 or 255.")

    @model_validator(mode="after")
    def _fits(self) -> Standardization:
        if self.scale == 1 and max(map(abs, [*self.mean, *self.std])) > 2:
            raise PydanticCustomError("scale", "a mean and std of values up to 1; for values up to 255 add scale: 255")
        if len({len(self.mean), len(self.std)} - {1}) > 1:
            raise PydanticCustomError("lengths", "as many values in std as in mean, or one")
        return self


Preprocess = Literal["caffe", "torch", "tf"] | Standardization
"""What ``preprocess`` may be in a run file; the names are the modes of Keras's ``imagenet_utils``."""

MODES = {
    "caffe": Standardization(mean=[103.939, 116.779, 123.68], order="bgr", scale=255),
    "torch": Standardization(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225]),
}


def from_preprocess(how: Preprocess) -> Callable[[Any], Any]:
    """Return the map from a picture in [-1, 1] to a network's input.

    ``caffe``, ``torch`` and ``tf`` give what ``keras.applications.imagenet_utils.preprocess_input`` gives.
    """
    if how == "tf":
        return from_range(-1, 1)
    given = MODES[how] if isinstance(how, str) else how
    mean, std = (np.asarray(values, "float32") for values in (given.mean, given.std))

    def preprocess(picture: Any) -> Any:
        ordered = picture[..., ::-1] if given.order == "bgr" else picture
        return ((ordered + 1) * np.float32(given.scale / 2) - mean) / std

    return preprocess


BOTH = "input_range and preprocess both say which pixel values {} expects; remove one"


def scaling_for(
    name: str, model: Any, input_range: tuple[float, float] | None, preprocess: Preprocess | None
) -> tuple[Callable[[Any], Any], tuple[str, ...]]:
    """Return the map from a picture to a model's input, and what the user should hear about it.

    Raises:
        ModelError: two maps are given, or none and the model's first layers do not tell.
    """
    if input_range is not None and preprocess is not None:
        raise ModelError(BOTH.format(name))
    if preprocess is not None:
        return from_preprocess(preprocess), ()
    if input_range is not None:
        return from_range(*input_range), ()
    found = arriving(model)
    expected = found.expected if found else None
    if found is None or expected is None:
        raise ModelError(missing(name))
    low, high = expected
    note = f"{name} gets pixel values from {low:g} to {high:g}, which its own layers before {found.layer!r} rescale"
    return from_range(low, high), (note,)


def missing(name: str) -> str:
    """Say that the pixel values which a model expects must be given."""
    return (
        f"which pixel values was {name} trained on? Give input_range, such as [0, 255], [0, 1] or [-1, 1]; or "
        "preprocess: caffe, torch, tf or {mean: [...], std: [...]}"
    )


class Arriving(NamedTuple):
    """What a network's own first layers make of pixel values.

    Attributes:
        layer: the first layer that learned weights from what reaches it.
        black, one, white: the mean of what reaches it from a picture of the values 0, 1 and 255.
    """

    layer: str
    black: float
    one: float
    white: float

    @property
    def expected(self) -> tuple[float, float] | None:
        """The range of pixel values that those layers bring to about [-1, 1]; None if they do not, or if it is not
        clear.
        """
        if (self.black, self.one) == (0, 1):
            return None
        ends = {(0.0, 255.0): self.white, (0.0, 1.0): self.one}
        fit = [
            given
            for given, end in ends.items()
            if SPREAD[0] <= abs(end - self.black) <= SPREAD[1] and abs(self.black) <= SPREAD[1]
        ]
        centred = self.black < -50 and self.white > 50  # a mean was subtracted, as ``caffe`` does
        return fit[0] if fit else (0.0, 255.0) if centred else None


def arriving(model: Any) -> Arriving | None:
    """Return what a loaded model's first layers make of pixel values; None if that cannot be told."""
    import keras

    if len(model.inputs) != 1 or len(model.inputs[0].shape) != 4:
        return None
    sides = [side or 32 for side in model.inputs[0].shape[1:]]
    pictures: Any = np.stack([np.full(sides, value, "float32") for value in (0, 1, 255)])
    try:
        layer, there = _reached(model, pictures)
    except Exception:  # the user's layers may fail in any way; then nothing is known
        return None
    means = np.asarray(keras.ops.convert_to_numpy(there), "float64").reshape(3, -1).mean(axis=1)
    return Arriving(layer, *means.round(6).tolist())


def _reached(model: Any, pictures: Any) -> tuple[str, Any]:
    """Return the first layer that learned weights from the pictures, and what reaches it."""
    import keras

    layer = next(layer for layer in model.layers if _learned(layer))
    into = layer._inbound_nodes[-1].input_tensors[0]
    if all(into is not tensor for tensor in model.inputs):
        pictures = keras.Model(model.inputs[0], into)(pictures, training=False)
    return _reached(layer, pictures) if is_graph(layer) else (layer.name, pictures)


def _learned(layer: Any) -> bool:
    """Whether a layer, or one inside it, has weights from training; a Normalization's are from the data."""
    if is_graph(layer):
        return any(map(_learned, layer.layers))
    return bool(layer.weights) and type(layer).__name__ != "Normalization"
