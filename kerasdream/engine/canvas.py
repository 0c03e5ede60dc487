"""The canvas of a dream as a tensor: where it is kept, cutting views out of it, putting its gradient together."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from kerasdream.tiling import Grid, Span, Tile, mirrored

if TYPE_CHECKING:
    import numpy as np

BYTES_RESIDENT = 60
"""Memory that a pixel of the picture takes during a step, views aside: canvas, gradient, what the ascent rules need."""


def home(pixels: int) -> str | None:
    """Returns the device a picture is kept on: the accelerator if there is one and it fits, else the host."""
    import tensorflow as tf

    gpus = tf.config.list_logical_devices("GPU")
    if not gpus:
        return None
    return gpus[0].name if pixels * BYTES_RESIDENT <= _gpu_memory() // 2 else "/CPU:0"


@cache
def _gpu_memory() -> int:
    """Returns the bytes that TensorFlow may use on the smallest GPU."""
    from tensorflow.python.client import device_lib  # the one place that tells

    return min(device.memory_limit for device in device_lib.list_local_devices() if device.device_type == "GPU")


def cut(canvas: Any, tile: Tile) -> Any:
    """Returns a tile's view of a ``(height, width, 3)`` canvas, mirrored beyond its edges."""
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


def assembled(grid: Grid, cores: dict[Tile, Any], factors: tuple[np.ndarray, np.ndarray] | None) -> Any:
    """Puts the cores together, each multiplied by the factors of its rows and columns; empties ``cores`` meanwhile."""
    import tensorflow as tf

    def core(rows: Span, columns: Span) -> Any:
        part = cores.pop(Tile(rows, columns))
        if factors is None or len(grid.rows) == len(grid.columns) == 1:
            return part
        down, across = factors[0][rows.start : rows.stop], factors[1][columns.start : columns.stop]
        return part * tf.constant(down[:, None, None] * across[:, None])

    strips = [tf.concat([core(rows, columns) for columns in grid.columns], axis=1) for rows in grid.rows]
    return strips[0] if len(strips) == 1 else tf.concat(strips, axis=0)
