"""The state of an unfinished dream on disk: saved whole or not at all, gone on with by the very run it is of."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdream import ops
from kerasdream.config.recipes import differences, manifest_in
from kerasdream.dreaming.loop import AscentState
from kerasdream.errors import ImageError, OutputError, PluginError
from kerasdream.events import Result
from kerasdream.images import read, replacing, save

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.plan.plan import Plan

INTERVAL = 60.0
"""Seconds after which the state is saved again within an octave."""

DAMAGE = OSError, ValueError, LookupError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error
"""What reading a damaged file may raise (it is a ZIP file of NumPy arrays)."""


def checkpoint_path(output: Path) -> Path:
    """Where the state of a dream is saved while it is not finished: a hidden file beside its first output."""
    return output.with_name(f".{output.name}.checkpoint")


def discard(output: Path) -> None:
    """Deletes the state of a dream that is finished, kept frames included."""
    checkpoint_path(output).unlink(missing_ok=True)
    shutil.rmtree(KeptFrames(output).folder, ignore_errors=True)


class KeptFrames:
    """The finished frames of a run that is not: what an output that is one file for all of them needs to be resumed.

    Args:
        output: the first output; they are in a hidden folder beside it.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.with_name(f".{output.name}.frames")

    def keep(self, number: int, result: Result) -> None:
        """Saves a frame, rounded once, as it is in every file."""
        self.folder.mkdir(exist_ok=True)
        save(self.folder / f"{number}.png", result.image, alpha=result.alpha, recipe=result.recipe, format="png")

    def read(self, number: int) -> Result:
        """Returns a frame.

        Raises:
            OutputError: it is not there any more.
        """
        path = self.folder / f"{number}.png"
        try:
            frame = read(path)
        except ImageError as error:
            raise OutputError(
                f"frame {number + 1}, which was finished, cannot be read again ({error}); leave --resume out to begin "
                "anew"
            ) from error
        return Result(frame.pixels, (), {}, manifest_in(path), frame.alpha)


class Checkpoint:
    """The saved state of one picture's dream, or of the frames that grow out of it.

    Args:
        output: the first output.
        manifest: what the picture is made from and with. The state goes on only where all of it is the same.
        plan: the plan of the picture.

    Attributes:
        frame: what is known of the frame that the points are of, a tree of plain data and arrays; saved with the point.
    """

    def __init__(self, output: Path, manifest: Mapping[str, Any], plan: Plan) -> None:
        self.path = checkpoint_path(output)
        self.manifest, self.plan = manifest, plan
        self.frame: dict[str, Any] = {}
        self._next = 0.0

    def keep(self, point: AscentState) -> None:
        """Saves the state if it is time to: after the first step, after each octave, and every ``INTERVAL`` seconds."""
        if point.step == self.plan.octaves[point.octave].steps or time.monotonic() >= self._next:
            self.save(point)
            self._next = time.monotonic() + INTERVAL

    def save(self, point: AscentState | None) -> None:
        """Saves the state in place of an older one.

        Args:
            point: None before the first octave.

        Raises:
            OutputError: the folder cannot be written, or the disk is full; an older state is still there.
            PluginError: an ascent rule remembers what cannot be saved.
        """
        import numpy as np

        arrays: dict[int, np.ndarray] = {}
        state = {"frame": self.frame, "point": None if point is None else vars(point)}
        header = json.dumps({"manifest": self.manifest, "state": _packed(state, arrays)})
        members = {str(number): array for number, array in enumerate(arrays.values())}
        with replacing(self.path) as file:
            np.savez(file, header=np.frombuffer(header.encode(), np.uint8), **members)

    def restore(self) -> AscentState | None:
        """Returns the saved point, or None if there is none; ``frame`` is then as it was saved.

        Raises:
            OutputError: it is damaged, or that of another run.
        """
        import numpy as np

        try:
            with np.load(self.path, allow_pickle=False) as file:
                header = json.loads(file["header"].tobytes())
                changes = list(differences(self.manifest, header["manifest"]))
                if not changes:
                    state = _unpacked(header["state"], file)
                    self.frame = state["frame"]
                    return None if state["point"] is None else AscentState(**state["point"])
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
    array = np.asarray(value) if tensor else value  # ops.convert_to_numpy would copy it
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
