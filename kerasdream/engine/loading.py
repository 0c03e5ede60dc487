"""Importing TensorFlow without its start-up chatter."""

from __future__ import annotations

import os
import sys
from types import ModuleType


def tensorflow() -> ModuleType:
    """Imports TensorFlow; what its C++ side prints meanwhile ("could not find cuda drivers") is not shown.

    A failing import raises as ever: only file descriptor 2 is silenced, and only while the import runs.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        import tensorflow

        tensorflow.config.list_physical_devices()  # looks for GPUs, and complains where there are none
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    return tensorflow


def deterministic(seed: int) -> None:
    """The same file on the same machine gives the same bytes, random weights included."""
    tensorflow().config.experimental.enable_op_determinism()
    import keras

    keras.utils.set_random_seed(seed)
