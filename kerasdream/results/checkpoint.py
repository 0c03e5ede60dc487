"""Checkpoints: the state of an unfinished run, written atomically and resumed only by the same recipe."""

from __future__ import annotations

import json
import time
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdream._files import replacing
from kerasdream.config.recipes import differences
from kerasdream.dreaming.loop import AscentState
from kerasdream.errors import OutputError, setting
from kerasdream.results.kept_frames import KeptFrames
from kerasdream.results.packing import packed, unpacked

if TYPE_CHECKING:
    from kerasdream.plan.plan import Plan

INTERVAL = 60.0
"""Seconds after which the state is saved again within an octave."""

DAMAGE = OSError, ValueError, LookupError, TypeError, EOFError, RuntimeError, zipfile.BadZipFile, zlib.error
"""What reading a damaged file may raise (it is a ZIP file of NumPy arrays)."""


@dataclass(frozen=True)
class Frame:
    """A frame before it is dreamed. Its arrays never change.

    Attributes:
        number: from 0.
        pixels: what is dreamed, ``(height, width, 3)`` float32 in [-1, 1]; None: the photo itself.
        alpha: ``(height, width)`` float32 in [0, 1], or None.
        views: side of the largest views, if memory ran out in an earlier frame.
        colors: mean and spread of each channel of the first frame's dream, ``(2, 3)``; None before that.
    """

    number: int = 0
    pixels: np.ndarray | None = None
    alpha: np.ndarray | None = None
    views: int | None = None
    colors: np.ndarray | None = None


@dataclass(frozen=True)
class RunState:
    """All that a run needs to resume: the current frame, and the state of its ascent, None before the first octave."""

    frame: Frame = Frame()
    ascent: AscentState | None = None


def checkpoint_path(output: Path) -> Path:
    """Return the checkpoint of an unfinished run: a hidden file next to its first output."""
    return output.with_name(f".{output.name}.checkpoint")


def discard(output: Path) -> None:
    """Delete the checkpoint of a finished run, including kept frames."""
    checkpoint_path(output).unlink(missing_ok=True)
    KeptFrames(output).discard()


class Checkpoint:
    """The saved state of one picture's dream, or of its frames.

    Args:
        output: the first output.
        manifest: what the picture is made from and with. Only a run with the same manifest can resume.
        plan: the plan of the picture.
    """

    def __init__(self, output: Path, manifest: Mapping[str, Any], plan: Plan) -> None:
        self.path = checkpoint_path(output)
        self.manifest, self.plan = manifest, plan
        self._next = 0.0

    def keep(self, frame: Frame, ascent: AscentState) -> None:
        """Save the state if it is due: after the first step, after each octave, and every ``INTERVAL`` seconds."""
        if ascent.step == self.plan.octaves[ascent.octave].steps or time.monotonic() >= self._next:
            self.save(RunState(frame, ascent))
            self._next = time.monotonic() + INTERVAL

    def save(self, state: RunState) -> None:
        """Replace the saved state.

        Raises:
            OutputError: the folder cannot be written, or the disk is full; the previous state remains.
            PluginError: an ascent rule keeps a value that cannot be saved.
        """
        arrays: dict[int, np.ndarray] = {}
        tree = {"frame": _fields(state.frame), "point": None if state.ascent is None else _fields(state.ascent)}
        header = json.dumps({"manifest": self.manifest, "state": packed(tree, arrays)})
        members: dict[str, Any] = {str(number): array for number, array in enumerate(arrays.values())}
        with replacing(self.path) as file:
            np.savez(file, header=np.frombuffer(header.encode(), np.uint8), **members)

    def restore(self) -> RunState | None:
        """Return the saved state, or None if there is none.

        Raises:
            OutputError: it is damaged, or belongs to a different run.
        """
        try:
            with np.load(self.path, allow_pickle=False) as file:
                header = json.loads(file["header"].tobytes())
                changes = list(differences(self.manifest, header["manifest"]))
                if not changes:
                    tree = unpacked(header["state"], file)
                    ascent = None if tree["point"] is None else AscentState(**tree["point"])
                    return RunState(Frame(**tree["frame"]), ascent)
        except FileNotFoundError:
            return None
        except DAMAGE as error:
            raise OutputError(f"checkpoint {self.path} is damaged ({error}); {_restart()}") from error
        raise OutputError(
            f"checkpoint {self.path} belongs to a different run ({'; '.join(changes[:3])}); restore those settings to "
            f"resume it, or {_restart()}"
        )


def _restart() -> str:
    return f"drop {setting('--resume', 'resume=True')} (or delete the file) to start over"


def _fields(value: Frame | AscentState) -> dict[str, Any]:
    """Return the fields of a state by name. Unlike ``dataclasses.asdict``, this copies nothing."""
    return {field.name: getattr(value, field.name) for field in fields(value)}
