"""The tiled gradient of TensorFlow's DeepDream tutorial, reimplemented, including the pixels that it leaves out.

https://www.tensorflow.org/tutorials/generative/deepdream ("Scaling up with tiles"). The picture is rolled at random
and cut into tiles of 512; the last row and the last column of tiles are left out, unless there is only one. Each tile's
gradient is taken with respect to the whole rolled picture: it is as large as the picture, zero outside the tile, and
these gradients are added up.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TILE = 512


def tiled_gradient(activations: Callable[[Any], list[Any]]) -> Callable[..., Any]:
    """Return the step's ``tf.function``, one trace for all sizes as in the tutorial.

    Args:
        activations: from pictures ``(1, height, width, 3)`` in [-1, 1] to the layers to raise.

    Returns:
        From a picture ``(height, width, 3)``, its (height, width) and the side of a tile, to the gradient of the sum of
        the layers' means over the tiles, divided by its standard deviation, and the (rows, columns) of the roll.
    """
    import tensorflow as tf

    @tf.function(
        input_signature=[
            tf.TensorSpec([None, None, 3], tf.float32),
            tf.TensorSpec([2], tf.int32),
            tf.TensorSpec([], tf.int32),
        ]
    )
    def gradient(picture, size, tile):
        roll = tf.random.uniform([2], -tile, tile, tf.int32)
        rolled = tf.roll(picture, roll, [0, 1])
        total = tf.zeros_like(rolled)
        counts = tf.maximum((size + tile - 1) // tile - 1, 1)  # all but the last, unless it is the only one
        for column in tf.range(counts[1]):
            for row in tf.range(counts[0]):
                with tf.GradientTape() as tape:
                    tape.watch(rolled)
                    top, left = row * tile, column * tile
                    view = rolled[top : top + tile, left : left + tile]
                    loss = tf.add_n([tf.reduce_mean(a) for a in activations(view[None])])
                total += tape.gradient(loss, rolled)
        total = tf.roll(total, -roll, [0, 1])
        return total / (tf.math.reduce_std(total) + 1e-8), roll

    return gradient


def covered(shape: tuple[int, int], tile: int = TILE) -> int:
    """How many pixels of a (height, width) picture one step reaches."""

    def along(length: int) -> int:
        starts = range(0, length, tile)[:-1] or [0]
        return sum(min(tile, length - start) for start in starts)

    return along(shape[0]) * along(shape[1])
