"""Rotate, stretch and move views: bilinear sampling with an exact gradient.

``keras.ops.image.affine_transform`` would be shorter, but on TensorFlow its gradient is another resampling rather than
the derivative: if a view is enlarged to twice its size, each pixel gets a quarter of the correct gradient.
"""

from __future__ import annotations

from typing import Any

from kerasdream import ops
from kerasdream.builtin.filters import mirrored

MARGIN = 4
"""Pixels that a rotated or scaled view spoils at its border, beyond what the seam correction makes up for.

Near its border a view shows its own mirror image, and what was rotated or scaled out of sight gets no gradient in this
step. How far in that reaches grows with the view: at 5 degrees, 22 pixels at the ends of a side of 512. But it affects
a different part of the border in each step, and ``kerasdream.engine.seams`` corrects what a cut loses on average.
Measured in four tiles, rotated by up to 10 degrees or scaled by 0.9 to 1.1, a gradient is as strong within 4 pixels of
a cut as 64 pixels away, with any margin from 0 to 24; a margin of 24 costs half as much computation again. Only at the
picture's own edges, where there is no cut, do the outermost 8 pixels get a third less when scaled.
"""


def warp(views: Any, matrix: tuple[tuple[Any, Any], tuple[Any, Any]], shift: tuple[Any, Any] = (0.0, 0.0)) -> Any:
    """Return views that show at each place p what is at ``centre + shift + matrix · (p − centre)``.

    Args:
        views: ``(n, height, width, channels)``; beyond their edges they are mirrored.
        matrix: numbers or scalar tensors, for (y, x).
        shift: (y, x) in pixels.
    """
    _, height, width, _ = ops.shape(views)
    centre_y, centre_x = (ops.cast(height, "float32") - 1) / 2, (ops.cast(width, "float32") - 1) / 2
    y = ops.cast(ops.arange(height), "float32")[:, None] - centre_y
    x = ops.cast(ops.arange(width), "float32")[None, :] - centre_x
    (yy, yx), (xy, xx) = matrix
    return sample(views, centre_y + shift[0] + yy * y + yx * x, centre_x + shift[1] + xy * y + xx * x)


def sample(views: Any, rows: Any, columns: Any) -> Any:
    """Sample views at fractional positions, each between four pixels.

    Args:
        views: ``(n, height, width, channels)``; beyond their edges they are mirrored.
        rows, columns: where each pixel of the result is taken from, ``(height, width)``.
    """
    n, height, width, channels = ops.shape(views)
    top, down = _between(rows, height)
    left, across = _between(columns, width)
    first = ops.reshape(top * width + left, (-1,))
    down, across = ops.reshape(down, (-1, 1)), ops.reshape(across, (-1, 1))
    # One row for each place, with all views side by side, so that one index serves them all.
    pixels = ops.reshape(ops.transpose(views, (1, 2, 0, 3)), (height * width, n * channels))

    def at(offset: Any) -> Any:
        return ops.take(pixels, first + offset, axis=0)

    above = (1 - across) * at(0) + across * at(1)
    below = (1 - across) * at(width) + across * at(width + 1)
    seen = ops.reshape((1 - down) * above + down * below, (height, width, n, channels))
    return ops.transpose(seen, (2, 0, 1, 3))


def _between(position: Any, size: Any) -> tuple[Any, Any]:
    """Return the pixel before each position along an axis, and the distance of the position from it."""
    position = mirrored(position, ops.cast(size, "float32"))
    before = ops.clip(ops.floor(position), 0, ops.cast(size - 2, "float32"))
    return ops.cast(before, "int32"), position - before
