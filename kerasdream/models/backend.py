"""The backend that Keras runs on: kerasdream needs TensorFlow."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

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


def _configured(file: Path) -> str:
    try:
        return str(json.loads(file.read_text(encoding="utf-8")).get("backend", "tensorflow"))
    except (OSError, ValueError, AttributeError):
        return "tensorflow"
