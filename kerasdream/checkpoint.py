"""The state of an unfinished dream on disk: saved whole or not at all, gone on with by the very run it is of."""

from __future__ import annotations

import json
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdream import ops
from kerasdream.dreaming import Point
from kerasdream.errors import OutputError, PluginError
from kerasdream.images.files import replacing
from kerasdream.recipes import differences

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.plan import Plan

INTERVAL = 60.0
"""Seconds after which the state is saved again within an octave."""

DAMAGE = OSError, ValueError, LookupError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error
"""What reading a damaged file may raise (it is a ZIP file of NumPy arrays)."""


def beside(output: Path) -> Path:
    """Where the state of a dream is saved while it is not finished: a hidden file beside its first output."""
    return output.with_name(f".{output.name}.checkpoint")


class Checkpoint:
    """The saved state of one picture's dream.

    Args:
        output: the first output.
        manifest: what the picture is made from and with. The state goes on only where all of it is the same.
        plan: the plan of the picture.
    """

    def __init__(self, output: Path, manifest: Mapping[str, Any], plan: Plan) -> None:
        self.path = beside(output)
        self.manifest, self.plan = manifest, plan
        self._next = 0.0

    def keep(self, point: Point) -> None:
        """Saves the state if it is time to: after the first step, after each octave, and every ``INTERVAL`` seconds."""
        if point.step == self.plan.octaves[point.octave].steps or time.monotonic() >= self._next:
            self.save(point)
            self._next = time.monotonic() + INTERVAL

    def save(self, point: Point) -> None:
        """Saves the state in place of an older one.

        Raises:
            OutputError: the folder cannot be written, or the disk is full; an older state is still there.
            PluginError: an ascent rule remembers what cannot be saved.
        """
        import numpy as np

        arrays: dict[int, np.ndarray] = {}
        header = json.dumps({"manifest": self.manifest, "point": _packed(vars(point), arrays)})
        members = {str(number): array for number, array in enumerate(arrays.values())}
        with replacing(self.path) as file:
            np.savez(file, header=np.frombuffer(header.encode(), np.uint8), **members)

    def load(self) -> Point | None:
        """Returns the saved state, or None if there is none.

        Raises:
            OutputError: it is damaged, or that of another run.
        """
        import numpy as np

        try:
            with np.load(self.path, allow_pickle=False) as file:
                header = json.loads(file["header"].tobytes())
                changes = list(differences(self.manifest, header["manifest"]))
                if not changes:
                    return Point(**_unpacked(header["point"], file))
        except FileNotFoundError:
            return None
        except DAMAGE as error:
            raise OutputError(
                f"the saved state {self.path} is damaged ({error}); leave --resume out, or delete that file, to begin "
                "this picture anew"
            ) from error
        raise OutputError(
            f"the saved state {self.path} is that of another run: {'; '.join(changes[:3])}; give what it was to go on "
            "with it; leave --resume out, or delete that file, to begin anew"
        )


def _packed(value: Any, arrays: dict[int, np.ndarray]) -> Any:
    """Returns a tree as plain data, its arrays moved to ``arrays``, each once: identity -> array."""
    import numpy as np

    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        return {type(value).__name__: [_packed(item, arrays) for item in value]}
    if type(value) is dict:
        return {"dict": [[_packed(key, arrays), _packed(item, arrays)] for key, item in value.items()]}
    tensor = ops.is_tensor(value)
    array = np.asarray(ops.convert_to_numpy(value)) if tensor else value
    if not isinstance(array, (np.ndarray, np.generic)) or array.dtype.kind not in "biufc":
        kind = array.dtype if hasattr(array, "dtype") else type(value).__name__
        raise PluginError(
            f"an ascent rule or parametrization remembers a value of type {kind}, which cannot be saved; expected "
            "arrays, tensors, numbers and None, in lists, tuples and dicts"
        )
    arrays.setdefault(id(value), np.asarray(array))
    form = "tensor" if tensor else "array" if isinstance(array, np.ndarray) else "number"
    return {form: list(arrays).index(id(value))}


def _unpacked(data: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Returns the tree that ``_packed`` was given."""
    if not isinstance(data, dict):
        return data
    ((form, content),) = data.items()
    if form in ("list", "tuple"):
        items = [_unpacked(item, arrays) for item in content]
        return items if form == "list" else tuple(items)
    if form == "dict":
        return {_unpacked(key, arrays): _unpacked(item, arrays) for key, item in content}
    array = arrays[str(content)]
    return ops.convert_to_tensor(array) if form == "tensor" else array if form == "array" else array[()]
