"""The canvas of a dream as a tensor: which device it is kept on, cutting views out, assembling its gradient."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.tiling import Grid, Span, Tile, mirrored

ALIGNMENT = 64
"""TensorFlow uses memory in place only if it begins at a multiple of this many bytes."""

BYTES_RESIDENT = 60
"""Memory for each pixel of the picture during a step, without views: canvas, gradient, what the ascent rules keep."""


class Place(NamedTuple):
    """A tile of one of the panels."""

    panel: int
    tile: Tile


def home(pixels: int) -> str | None:
    """Return the device to keep a picture on: the accelerator if there is one and it fits, else the host."""
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        return None
    return gpus[0].name if pixels * BYTES_RESIDENT <= _gpu_memory() // 2 else "/CPU:0"


def on_host(place: str | None) -> bool:
    """Whether a device is the host's memory."""
    return place is None or "CPU" in place


@cache
def _gpu_memory() -> int:
    """Return the bytes that TensorFlow may use on the smallest GPU."""
    from tensorflow.python.client import device_lib  # not in the public API

    return min(device.memory_limit for device in device_lib.list_local_devices() if device.device_type == "GPU")


def cut(canvas: Any, tile: Tile) -> Any:
    """Return a tile's view of a ``(height, width, 3)`` canvas, mirrored beyond its edges."""
    import tensorflow as tf

    for axis, (_, _, start, stop) in enumerate(tile):
        length = canvas.shape[axis]
        inside = (slice(None),) * axis
        if start >= 0 and stop <= length:
            canvas = canvas[(*inside, slice(start, stop))]
            continue
        index = mirrored(start, stop, length)
        first, last = int(index.min()), int(index.max()) + 1
        canvas = tf.gather(canvas[(*inside, slice(first, last))], index - first, axis=axis)
    return canvas


def stacked(canvas: Any, batch: Sequence[Place], windows: Sequence[tuple[slice, slice]]) -> Any:
    """Return the views of equally large tiles as one tensor; without a canvas, one with no channels."""
    import tensorflow as tf

    if canvas is None:
        return tf.zeros((len(batch), 1, 1, 0))
    views = [tf.convert_to_tensor(cut(canvas[windows[panel]], tile)) for panel, tile in batch]
    return views[0][None] if len(views) == 1 else tf.stack(views)  # tf.stack of arrays would convert number by number


def rolled(canvas: Any, shift: tuple[int, int], panels: Panels = SINGLE) -> Any:
    """Return a canvas with each panel shifted cyclically (down, right)."""
    import tensorflow as tf

    if canvas is None or shift == (0, 0):
        return canvas
    height, width = panels.of(canvas.shape[:2])
    apart = tf.reshape(canvas, (panels.rows, height, panels.columns, width, canvas.shape[2]))
    return tf.reshape(tf.roll(apart, shift, (1, 3)), canvas.shape)


def as_tensor(array: Any) -> Any:
    """Return an array as a tensor. A suitably aligned array shares its memory with the tensor and must not change."""
    import tensorflow as tf

    lent = isinstance(array, np.ndarray) and array.flags.c_contiguous and array.flags.writeable
    lent = lent and array.ctypes.data % ALIGNMENT == 0
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__()) if lent else tf.convert_to_tensor(array)


def aligned(shape: Sequence[int]) -> np.ndarray:
    """Return an uninitialised float32 array that ``as_tensor`` need not copy."""
    size = 4 * math.prod(shape)
    memory = np.empty(size + ALIGNMENT, "uint8")
    start = -memory.ctypes.data % ALIGNMENT
    return memory[start : start + size].view("float32").reshape(shape)


class HostSheet:
    """A gradient in the host's memory: each core is written to its place as soon as it is computed.

    Cores kept as tensors until the end would fragment the memory they were computed in: at 8192² that took 40 bytes a
    pixel.
    """

    def __init__(self, shape: tuple[int, int], panels: Panels = SINGLE, channels: int = 3) -> None:
        self.panels, self.array = panels.windows(shape), aligned((*shape, channels))

    def put(self, place: Place, core: Any) -> None:
        """Store a core's gradient."""
        (top, bottom, *_), (left, right, *_) = place.tile
        self.array[self.panels[place.panel]][top:bottom, left:right] = core

    def finished(self, factors: tuple[np.ndarray, np.ndarray] | None) -> np.ndarray:
        """Return the whole gradient, multiplied by the factors of each panel's rows and columns."""
        for axis, along in enumerate(factors or ()):
            for start, stop in _runs(along != 1):
                for panel in self.panels:
                    if axis == 0:
                        self.array[panel][start:stop] *= along[start:stop, None, None]
                    else:
                        self.array[panel][:, start:stop] *= along[start:stop, None]
        return self.array


class DeviceSheet:
    """A gradient that is assembled on an accelerator."""

    def __init__(self, grid: Grid, panels: Panels = SINGLE) -> None:
        self.grid, self.panels = grid, panels
        self.cores: dict[Place, Any] = {}

    def put(self, place: Place, core: Any) -> None:
        """Store a core's gradient."""
        self.cores[place] = core

    def finished(self, factors: tuple[np.ndarray, np.ndarray] | None) -> Any:
        """Return the whole gradient, multiplied by the factors of each panel's rows and columns."""
        import tensorflow as tf

        def part(panel: int, rows: Span, columns: Span) -> Any:
            core = self.cores.pop(Place(panel, Tile(rows, columns)))
            if factors is None:
                return core
            down, across = factors[0][rows.start : rows.stop], factors[1][columns.start : columns.stop]
            return core * tf.constant(down[:, None, None] * across[:, None])

        strips = []
        for first in range(0, self.panels.number, self.panels.columns):
            across = list(product(range(first, first + self.panels.columns), self.grid.columns))
            for rows in self.grid.rows:
                strips.append(tf.concat([part(panel, rows, columns) for panel, columns in across], axis=1))
        return tf.concat(strips, axis=0)


def _runs(marked: np.ndarray) -> list[tuple[int, int]]:
    """Return (start, stop) of every run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], marked, [False]])))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]
