"""Load a whole model that Keras saved; where that fails, say why and what to do in one sentence."""

from __future__ import annotations

import inspect
import json
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdream._files import is_regular, open_regular
from kerasdream.errors import KerasdreamError, ModelError, did_you_mean
from kerasdream.models.saved import FILES, config_of, kinds_in_file, operations_in_file
from kerasdream.plugins import files as python_files

if TYPE_CHECKING:
    import keras

SAVE = 'save the whole network with model.save("my_model.keras")'

OTHER_KINDS = {
    (".pb", ".pbtxt", ".meta", ".index", ".ckpt"): "belongs to TensorFlow",
    (".tflite", ".lite"): "belongs to TensorFlow Lite, which keeps no layers that could be looked into",
    (".onnx",): "belongs to ONNX",
    (".pt", ".pth", ".safetensors", ".bin", ".ckpt"): "holds weights for another program, such as PyTorch",
    (".py", ".ipynb"): "is Python code, which makes a network when it runs",
    (".json", ".yaml", ".yml"): "describes a network at most, without its weights",
    (".npz", ".npy", ".pkl"): "holds arrays, not a network",
}
"""Extensions of files that are often taken for a network, and what they are."""


OF_KERAS_2 = "Functional", "TFOpLambda", "SlicingOpLambda", "ModuleWrapper"
"""Classes that Keras 2 wrote, and that Keras 3 does not have under that name."""


def load_model(file: Path, *, code: Path | None = None, trust: bool = False) -> keras.Model:
    """Load a whole model.

    Args:
        code: a Python file to run first; its classes and functions are those that the model may use.
        trust: whether code inside the model file, of Lambda layers, may run.

    Raises:
        ModelError: the file is missing or of another kind, the code fails, or Keras cannot load the model.
    """
    import keras

    if reason := why_not(file):
        raise ModelError(reason)
    objects = objects_in(code) if code is not None else {}
    older = _of_keras_2_objects() if file.suffix != ".keras" else {}
    try:
        return keras.saving.load_model(file, custom_objects={**older, **objects}, compile=False, safe_mode=not trust)
    except Exception as error:
        raise ModelError(_explained(file, error, code, objects, trust)) from error


def _of_keras_2_objects() -> dict[str, Any]:
    """Return layers that take the arguments which Keras 2 wrote into .h5 files, where those of Keras 3 do not."""
    import keras

    class DepthwiseConv2D(keras.layers.DepthwiseConv2D):
        def __init__(self, *args: Any, groups: int = 1, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)

    return {"DepthwiseConv2D": DepthwiseConv2D}


def objects_in(code: Path) -> dict[str, Any]:
    """Run a Python file; return its own classes and functions by name.

    Raises:
        ModelError: the file is missing or fails.
    """
    try:
        module = python_files.module(python_files.expand(code)[0])
    except KerasdreamError:
        what = "is not a Python file" if code.exists() else "does not exist"
        raise ModelError(f"the code file {code} {what}; expected a .py file or a package") from None
    except Exception as error:
        raise ModelError(f"the code file {code} failed: {type(error).__name__}: {error}") from error
    mine = {name: value for name, value in vars(module).items() if inspect.isclass(value) or inspect.isfunction(value)}
    return {name: value for name, value in mine.items() if not str(value.__module__).startswith("keras.")}


def why_not(file: Path) -> str:
    """Return why a file is no model that Keras could load, and what to do; nothing if it may be one."""
    if file.is_dir():
        return _folder(file)
    if not file.exists():
        siblings = [path.name for path in file.parent.glob("*") if path.suffix in FILES]
        return f"the model file {file} does not exist" + (f"; {did_you_mean(file.name, siblings)}" if siblings else "")
    if not is_regular(file):
        return f"{file} is not an ordinary file; expected a .keras or .h5 file"
    packed, suffix = zipfile.is_zipfile(file), file.suffix.lower()
    hdf = not packed and _starts_with(file, b"\x89HDF\r\n\x1a\n")
    if not packed and not hdf:
        for endings, kind in OTHER_KINDS.items():
            if suffix in endings:
                return f"{file} {kind}; in the program that made the network, {SAVE}"
        what = "is empty" if file.stat().st_size == 0 else "is not a file that Keras saved, or only a part of one"
        return f"{file} {what}; save or copy it again, with model.save()"
    if packed and suffix != ".keras":
        return f"{file} has the format of a .keras file; rename it to {file.with_suffix('.keras').name}"
    if hdf and suffix not in FILES[1:]:
        return f"{file} has the format of an .h5 file; rename it to {file.with_suffix('.h5').name}"
    if "TFSMLayer" in kinds_in_file(file):
        return (
            f"{file} wraps a SavedModel folder (TFSMLayer), which holds no layers that could be looked into; in the "
            f"program that made it, {SAVE} before it is exported"
        )
    if config_of(file) is None:
        return (
            f"{file} holds weights without their network; {SAVE}, or, if they belong to a named network, "
            f"use model: {{name: resnet50, weights: {file.name}}}"
        )
    return ""


def _folder(folder: Path) -> str:
    """Say what a folder is, and what to do."""
    if not (folder / "saved_model.pb").exists():
        return f"{folder} is a folder; expected a .keras or .h5 file"
    if (folder / "keras_metadata.pb").exists():
        return (
            f"{folder} is a SavedModel folder of Keras 2, which Keras 3 does not load; where Keras 2 is installed "
            f"(pip install tf_keras), run tf_keras.models.load_model({folder.name!r}).save('{folder.name}.h5')"
        )
    return (
        f"{folder} is a SavedModel folder, which holds computations but no layers that could be looked into; in the "
        f"program that made it, {SAVE}"
    )


def _starts_with(file: Path, magic: bytes) -> bool:
    with open_regular(file) as stream:
        return stream.read(len(magic)) == magic


def _explained(file: Path, error: Exception, code: Path | None, objects: Mapping[str, Any], trust: bool) -> str:
    """Say why Keras could not load a file, and what to do."""
    text = str(error).rpartition("Exception encountered:")[2].strip()
    missing = re.search(r"(?:Could not locate (?:class|function)|Unknown [\w ]+:) '?([^'.\n]+)'?", text)
    if missing and not (missing[1] in OF_KERAS_2 and _of_keras_2(file)):
        return _without(file, missing[1].rpartition(">")[2], code, objects)
    if not trust and ("unsafe_deserialization" in text or "safe_mode" in text):
        return (
            f"{file} holds Python code (a Lambda layer), which runs when it is loaded; if you trust whoever made the "
            "file, use --trust (in Python: trust=True)"
        )
    first = re.split(r"\.\s|\n", text or type(error).__name__)[0].rstrip(".")[:200]
    return f"Keras cannot load the model file {file}: {first}{_of_keras_2(file)}"


def _of_keras_2(file: Path) -> str:
    """Return the way on for a file that Keras 2 saved; nothing for others."""
    if not saved_by(file).startswith("2."):
        return ""
    if file.suffix == ".keras":
        return (
            "; it was saved by Keras 2: where that is installed (pip install tf_keras), save it again with "
            f"tf_keras.models.load_model({file.name!r}).save('{file.stem}.h5')"
        )
    return (
        "; it was saved by Keras 2: build the same network with Keras 3, load the weights with "
        f"model.load_weights({file.name!r}), and save it with model.save('{file.stem}.keras')"
    )


def _without(file: Path, name: str, code: Path | None, objects: Mapping[str, Any]) -> str:
    """Say that a class or function of the user's is missing, and where to name it."""
    if file.suffix != ".keras" and name in operations_in_file(file):
        return (
            f"{file} computes with {name}, an operation such as x / 255, which an .h5 file cannot hold; where the "
            f"network was made, {SAVE}"
        )
    if code is None:
        return (
            f"{file} uses {name!r}, which is not part of Keras; name the Python file that defines it: "
            f"model: {{file: {file.name}, code: my_layers.py}}"
        )
    near = f"; {did_you_mean(name, objects)}" if objects else ""
    return f"{file} uses {name!r}, which {code.name} does not define{near}"


def saved_by(file: Path) -> str:
    """Return the version of Keras that saved a model file; "" if it does not say."""
    try:
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                return str(json.loads(archive.read("metadata.json"))["keras_version"])
        import h5py

        with h5py.File(file) as content:
            return str(content.attrs["keras_version"])
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return ""
