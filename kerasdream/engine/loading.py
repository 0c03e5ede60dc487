"""Import TensorFlow without its start-up messages; make it deterministic."""

from __future__ import annotations

import os
import sys
from types import ModuleType


def tensorflow() -> ModuleType:
    """Import TensorFlow, hiding what its C++ side prints meanwhile ("could not find cuda drivers").

    A failing import still raises: only file descriptor 2 is silenced, and only during the import.
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
    """Make the same run file give the same bytes on the same machine, random weights included."""
    tensorflow().config.experimental.enable_op_determinism()
    import keras

    keras.utils.set_random_seed(seed)
