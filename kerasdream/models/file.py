"""The user's own model, from a file that Keras saved."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

from annotated_types import Ge, Len

from kerasdream.components import Network, Tokens, from_range
from kerasdream.errors import ModelError


def file(
    *,
    file: Path,
    input_range: tuple[float, float],
    inputs: dict[str, float | list[float] | Path] | None = None,
    channels: Annotated[list[Annotated[int, Ge(0)]], Len(1, 3)] | None = None,
    head: str | None = None,
    tokens: Tokens | None = None,
) -> Network:
    """Load a whole model that Keras saved (``model.save("my_model.keras")``).

    Args:
        file: the ``.keras`` (or whole-model ``.h5``) file.
        input_range: the pixel values the model expects, lowest and highest: ``[0, 255]`` if it rescales them itself,
            ``[-1, 1]`` or ``[0, 1]`` if it was trained on such values.
        inputs: what the inputs other than the picture are held at, by name: a number, a list of numbers or a ``.npy``
            file.
        channels: if the model's pictures do not have three channels: those that receive red, green and blue, from 0,
            or the one that receives the brightness.
        head: if the model has several outputs: the name of the one with the classes.
        tokens: of a vision transformer, if the run says that their places in the picture are unknown: ``grid``, the
            rows and columns of its patches, and ``skip``, the tokens in front of them (class token, registers).

    Raises:
        ModelError: the file is missing, or Keras cannot load it.
    """
    import keras

    if not file.is_file():
        raise ModelError(f"the model file {file} does not exist")
    try:
        model = keras.saving.load_model(file, compile=False)
    except Exception as error:
        cause = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ModelError(f"Keras cannot load the model file {file}: {cause}") from error
    preprocess = from_range(*input_range)
    return Network(file.stem, model, preprocess, inputs=inputs or {}, channels=channels, head=head, tokens=tokens)


def layers_in_file(file: Path) -> list[str] | None:
    """Return the layer names of a ``.keras`` file, nested ones as ``outer/inner``, without loading it; else None."""
    try:
        with zipfile.ZipFile(file) as archive:
            config = json.loads(archive.read("config.json"))
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    return list(_names(config)) or None


def _names(config: dict[str, Any]) -> Iterator[str]:
    for layer in config.get("config", {}).get("layers", []):
        if layer.get("class_name") == "InputLayer":
            continue
        name = layer.get("config", {}).get("name") or layer.get("name")
        yield name
        yield from (f"{name}/{inner}" for inner in _names(layer))
