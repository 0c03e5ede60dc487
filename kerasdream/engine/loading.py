"""Import TensorFlow without its start-up messages; make it deterministic."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from kerasdream.models.backend import require_tensorflow
from kerasdream.models.settings import usual_settings


def tensorflow() -> ModuleType:
    """Import TensorFlow, hiding what its C++ side prints meanwhile ("could not find cuda drivers").

    A process that has it imported already is left as it is. A failing import still raises: only file descriptor 2 is
    silenced, and only during the import.

    Raises:
        ModelError: Keras runs on another backend.
    """
    require_tensorflow()
    logging.getLogger("tensorflow").addFilter(_is_no_news)
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        with _no_standard_error():
            import tensorflow

            tensorflow.config.list_physical_devices()  # looks for GPUs, and complains where there are none
    return sys.modules["tensorflow"]


def _is_no_news(record: logging.LogRecord) -> bool:
    """Whether TensorFlow may log this: not that kerasdream traces a function for each of many dreams, as it should."""
    message = record.getMessage()
    return not ("retracing" in message and "kerasdream." in message)


@contextmanager
def usual_keras() -> Iterator[None]:
    """Import TensorFlow as ``tensorflow`` does, and let Keras work with its own settings; also a decorator."""
    tensorflow()
    with usual_settings():
        yield


@contextmanager
def _no_standard_error() -> Iterator[None]:
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        kept = os.dup(2)
    except OSError:  # there is none: a service, or a program without a console
        yield
        return
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def deterministic(seed: int) -> None:
    """Make the same run file give the same bytes on the same machine, random weights included."""
    tensorflow().config.experimental.enable_op_determinism()
    import keras

    keras.utils.set_random_seed(seed)
