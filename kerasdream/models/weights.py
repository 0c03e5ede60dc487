"""Weights from files: those that Keras saved, and the cache of those converted from elsewhere."""

from __future__ import annotations

import logging
import os
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from kerasdream.errors import ModelError

if TYPE_CHECKING:
    import keras
    import numpy as np

SUFFIXES = (".weights.h5", ".h5", ".hdf5", ".keras")
"""Kinds of files that ``load_file`` reads."""

log = logging.getLogger(__name__)


def load_file(name: str, model: keras.Model, path: str | Path) -> None:
    """Loads weights that Keras saved from a network of the same layers.

    Args:
        name: what messages call the network.
        model: a built model, whose weights are replaced.
        path: a ``.weights.h5``, ``.h5`` or ``.keras`` file. Of the last two only the weights are read; no code or
            configuration in them is run.

    Raises:
        ModelError: there is no such file, it is damaged or of another kind, or its weights do not fit the model.
    """
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"there is no weights file {path}; expected the path of a file saved by Keras")
    if not path.name.endswith(SUFFIXES):
        raise ModelError(f"{path} is not a weights file by its name; expected one of {', '.join(SUFFIXES)}")
    try:
        with warnings.catch_warnings():  # Keras warns of each weight it lacks before it raises
            warnings.simplefilter("ignore")
            model.load_weights(path)
    except Exception as error:  # h5py, zipfile and Keras raise nearly everything over a file that is not right
        reason = " ".join((str(error) or type(error).__name__).split())
        reason = reason if len(reason) <= 300 else reason[:300] + "..."
        raise ModelError(
            f"the weights in {path} cannot be loaded into {name}: {reason.rstrip('.')}. Expected a file that "
            "Keras saved from the same network, with the same `top`."
        ) from error


def cache_dir() -> Path:
    """Returns the folder of things that can be made again: ``$KERASDREAM_CACHE``, or the platform's place for them."""
    if chosen := os.environ.get("KERASDREAM_CACHE"):
        return Path(chosen).expanduser()
    import platformdirs

    return Path(platformdirs.user_cache_dir("kerasdream", appauthor=False))


def cached(name: str, make: Callable[[], dict[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """Returns the arrays that ``make`` returned the first time it was called for ``name``, on this machine.

    The cache is a convenience: a damaged file in it (the archive's CRCs tell) is made again, and one that cannot be
    written is done without. Processes that start at once each make the arrays and replace the file as a whole.

    Args:
        name: names the arrays and how they were made; a file name without suffix.
        make: called if the cache has none; what it raises is passed on.
    """
    path = cache_dir() / f"{name}.npz"
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    except Exception as error:  # a damaged archive makes zipfile and NumPy raise nearly everything
        log.info("%s is damaged (%s) and will be written anew", path, error)
    arrays = make()
    try:
        _write(path, arrays)
    except OSError as error:
        log.info("going on without a cache: %s", error)
    return arrays


def _read(path: Path) -> dict[str, np.ndarray]:
    import numpy as np

    with np.load(path, allow_pickle=False) as archive:
        return dict(archive)


def _write(path: Path, arrays: dict[str, np.ndarray]) -> None:
    import numpy as np

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
