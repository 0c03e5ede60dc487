"""The backend that Keras runs on: kerasdream needs TensorFlow."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from kerasdream.components import Network
from kerasdream.errors import ModelError


def require_tensorflow() -> None:
    """Check that Keras runs, or will run, on TensorFlow; Keras is not imported for that.

    Raises:
        ModelError: it runs on another backend.
    """
    loaded = sys.modules.get("keras")
    if loaded is not None:
        backend, reason = loaded.config.backend(), ""
    elif backend := os.environ.get("KERAS_BACKEND", ""):
        reason = f" (KERAS_BACKEND={backend})"
    else:
        file = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras") / "keras.json"
        backend, reason = _configured(file), f" ({file})"
    if backend != "tensorflow":
        raise ModelError(
            f"Keras runs on {backend} here{reason}, but kerasdream needs TensorFlow; set "
            'os.environ["KERAS_BACKEND"] = "tensorflow" before Keras is imported'
        )


def check_model(model: object, others: str = "a Keras model or a kerasdream.Network") -> None:
    """Check that a model given in Python is one.

    Args:
        others: what was expected, for the message.

    Raises:
        TypeError: it is neither a Keras model nor a ``Network``.
    """
    import keras

    if not isinstance(model, (keras.Model, Network)):
        raise TypeError(f"the model is of type {type(model).__name__}; expected {others}")


def _configured(file: Path) -> str:
    try:
        return str(json.loads(file.read_text(encoding="utf-8")).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"
