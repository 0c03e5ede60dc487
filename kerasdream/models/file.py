"""The user's own model, from a file that Keras saved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Len

from kerasdream.components import Network, Tokens
from kerasdream.models.loading import load_model
from kerasdream.models.scaling import Preprocess, scaling_for
from kerasdream.plugins.annotations import CodeFile, Trusted


def file(
    *,
    file: Path,
    input_range: tuple[float, float] | None = None,
    preprocess: Preprocess | None = None,
    inputs: dict[str, float | list[float] | Path] | None = None,
    channels: Annotated[list[Annotated[int, Ge(0)]], Len(1, 3)] | None = None,
    head: str | None = None,
    tokens: Tokens | None = None,
    code: CodeFile | None = None,
    trust: Trusted = False,
) -> Network:
    """Load a whole model that Keras saved (``model.save("my_model.keras")``).

    Args:
        file: the ``.keras`` (or whole-model ``.h5``) file.
        input_range: the pixel values the model expects, lowest and highest: ``[0, 255]`` if it rescales them itself,
            ``[-1, 1]`` or ``[0, 1]`` if it was trained on such values. May be omitted if its first layers rescale.
        preprocess: instead of ``input_range``: ``caffe``, ``torch`` or ``tf``, the modes of ``preprocess_input`` in
            Keras; or mean, std, order and scale.
        inputs: what the inputs other than the picture are held at, by name: a number, a list of numbers or a ``.npy``
            file.
        channels: if the model's pictures do not have three channels: those that receive red, green and blue, from 0,
            or the one that receives the brightness.
        head: if the model has several outputs: the name of the one with the classes.
        tokens: of a vision transformer, if the run says that their places in the picture are unknown: ``grid``, the
            rows and columns of its patches, and ``skip``, the tokens in front of them (class token, registers).
        code: a Python file that defines the model's own layers and functions; it is run before the model is loaded.

    Raises:
        ModelError: the file is missing, Keras cannot load it, or the values that it expects are not known.
    """
    model = load_model(file, code=code, trust=trust)
    how, notes = scaling_for(file.name, model, input_range, preprocess)
    return Network(file.stem, model, how, inputs=inputs or {}, channels=channels, head=head, tokens=tokens, notes=notes)
