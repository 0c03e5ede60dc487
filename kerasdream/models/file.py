"""The user's own model, from a file that Keras saved."""

from __future__ import annotations

from pathlib import Path

from kerasdream.components import CodeFile, Network, Trusted
from kerasdream.models.loading import load_model
from kerasdream.models.scaling import Preprocess, scaling_for


def file(
    *,
    file: Path,
    input_range: tuple[float, float] | None = None,
    preprocess: Preprocess | None = None,
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
        code: a Python file that defines the model's own layers and functions; it is run before the model is loaded.

    Raises:
        ModelError: the file is missing, Keras cannot load it, or the values that it expects are not known.
    """
    model = load_model(file, code=code, trust=trust)
    how, notes = scaling_for(file.name, model, input_range, preprocess)
    return Network(file.stem, model, how, notes=notes)
