"""Weights from files: those saved by Keras, and a cache of those converted from other formats."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdream._files import at_home, is_regular
from kerasdream.errors import ModelError

if TYPE_CHECKING:
    import keras

SUFFIXES = (".weights.h5", ".h5", ".hdf5", ".keras")
"""Kinds of files that ``load_file`` reads."""

log = logging.getLogger(__name__)


def load_file(name: str, model: keras.Model, path: str | Path) -> None:
    """Load weights that Keras saved from a network with the same layers.

    Args:
        name: the network's name in messages.
        model: a built model, whose weights are replaced.
        path: a ``.weights.h5``, ``.h5`` or ``.keras`` file. Only the weights in it are read; no code or configuration
            is run.

    Raises:
        ModelError: the file is missing, damaged or of another kind, or its weights do not fit the model.
    """
    path = Path(path)
    if not is_regular(path):
        what = "is not an ordinary file" if path.exists() else "does not exist"
        raise ModelError(f"the weights file {path} {what}; expected a file saved by Keras")
    if not path.name.endswith(SUFFIXES):
        raise ModelError(f"{path} does not have the name of a weights file; expected one of {', '.join(SUFFIXES)}")
    try:
        with warnings.catch_warnings():  # Keras warns of each missing weight before it raises
            warnings.simplefilter("ignore")
            model.load_weights(path)
    except Exception as error:  # h5py, zipfile and Keras raise nearly everything over a wrong file
        reason = " ".join((str(error) or type(error).__name__).split())
        reason = reason if len(reason) <= 300 else reason[:300] + "..."
        raise ModelError(
            f"the weights in {path} cannot be loaded into {name}: {reason.rstrip('.')}. Expected a file that "
            "Keras saved from the same network, with the same `top`."
        ) from error


def cache_dir() -> Path:
    """Return the folder for files that can be recreated: ``$KERASDREAM_CACHE``, or the platform's cache folder."""
    if chosen := os.environ.get("KERASDREAM_CACHE"):
        return at_home(chosen)
    import platformdirs

    return Path(platformdirs.user_cache_dir("kerasdream", appauthor=False))


def cached(name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Return the arrays that ``make`` returned when it was first called for ``name`` on this machine.

    The cache is a convenience: a damaged file (detected by the archive's CRCs) is recreated, and a file that cannot be
    written is skipped. Processes that start at the same time each make the arrays and replace the file as a whole.

    Args:
        name: identifies the arrays and how they were made; a file name without suffix.
        make: called if they are not in the cache; its exceptions are passed on.
    """
    path = cache_dir() / f"{name}.npz"
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except Exception as error:  # a damaged archive makes zipfile and NumPy raise nearly everything
        log.info("%s is damaged (%s) and will be rewritten", path, error)
    arrays = make()
    try:
        _write(path, arrays)
    except OSError as error:
        log.info("continuing without a cache: %s", error)
    return arrays


def _read(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def _write(path: Path, arrays: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.stem, suffix=".tmp", delete=False) as file:
        try:
            np.savez(file, **arrays)
            file.close()
            os.replace(file.name, path)
        except BaseException:
            file.close()
            os.unlink(file.name)
            raise
