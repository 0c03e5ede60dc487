"""Windows of a picture as the network sees them: cut out and resized, differentiably."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kerasdream.plan.crops import Box


def room_of(box: Box, size: int) -> int:
    """Return the side of the area that a window is computed from, for the network to see it at ``size²`` pixels."""
    side = max(box.height, box.width)
    return side + 2 * ceil((max(side / size, 1) + 1) / 2)


def cropped(canvas: Any, boxes: Any, size: Any, room: Any) -> Any:
    """Return windows of a ``(height, width, channels)`` canvas as ``(n, size, size, channels)``, differentiable.

    Windows of another size are resized with a triangle as wide as a pixel of the coarser of the two grids: bilinear,
    without aliasing. Computed as products with the triangle's weights, this is exact where nothing is resized, and has
    the same bits in every run. Only ``room²`` pixels around each window take part: products with the whole canvas
    would take longer than the network does.

    Args:
        boxes: top, left, height, width of each window in pixels, ``(n, 4)`` float32, all of one size.
        room: ``room_of`` the boxes.
    """
    import tensorflow as tf

    if canvas.shape[2] == 0:
        return tf.zeros([tf.shape(boxes)[0], size, size, 0])
    shape = tf.shape(canvas)
    positions = (tf.range(tf.cast(size, tf.float32)) + 0.5) / tf.cast(size, tf.float32)

    def seen(axis: int) -> tuple[Any, Any]:
        """Return the pixels along an axis each window is made from, ``(n, room)``, and their weights in its pixels."""
        start, side, last = boxes[:, axis, None], boxes[:, axis + 2, None], shape[axis] - 1
        pixels = tf.cast(start - (tf.cast(room, tf.float32) - side) / 2, tf.int32) + tf.range(room)
        centres = start + positions * side - 0.5
        reach = tf.maximum(side / tf.cast(size, tf.float32), 1.0)[..., None]
        tent = tf.maximum(0.0, 1.0 - tf.abs(centres[..., None] - tf.cast(pixels, tf.float32)[:, None]) / reach)
        tent *= tf.cast((pixels >= 0) & (pixels <= last), tf.float32)[:, None]
        return tf.clip_by_value(pixels, 0, last), tent / tf.reduce_sum(tent, axis=2, keepdims=True)

    (rows, down), (columns, across) = seen(0), seen(1)
    pixels = tf.reshape(canvas, (shape[0] * shape[1], canvas.shape[2]))
    cut_out = tf.gather(pixels, rows[:, :, None] * shape[1] + columns[:, None])
    return tf.einsum("njw,niwc->nijc", across, tf.einsum("nih,nhwc->niwc", down, cut_out))


def apart(sheet: Any, panel: Any) -> Any:
    """Return the panels of a ``(height, width, channels)`` sheet as ``(panels, h, w, channels)``.

    Args:
        panel: height and width of a panel, ``(2,)`` int32.
    """
    import tensorflow as tf

    height, width = panel[0], panel[1]
    shape = tf.shape(sheet)
    parts = tf.reshape(sheet, (shape[0] // height, height, shape[1] // width, width, sheet.shape[2]))
    return tf.reshape(tf.transpose(parts, (0, 2, 1, 3, 4)), (-1, height, width, sheet.shape[2]))
