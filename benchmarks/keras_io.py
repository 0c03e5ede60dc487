"""The step of Keras's DeepDream example, reimplemented: one gradient of the whole picture, no tiles.

https://keras.io/examples/generative/deep_dream. The ``tf.function`` has no input signature: each size is traced again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

WEIGHTS = {"mixed4": 1.0, "mixed5": 1.5, "mixed6": 2.0, "mixed7": 2.5}
"""The published layers of InceptionV3 and their weights."""


def ascent_step(loss: Callable[[Any], Any]) -> Callable[[Any, float], tuple[Any, Any]]:
    """Return the ``tf.function`` from pictures ``(1, height, width, 3)`` and a rate to (loss, next pictures)."""
    import tensorflow as tf

    @tf.function
    def step(pictures, rate):
        with tf.GradientTape() as tape:
            tape.watch(pictures)
            value = loss(pictures)
        gradient = tape.gradient(value, pictures)
        gradient /= tf.maximum(tf.reduce_mean(tf.abs(gradient)), 1e-6)
        return value, pictures + rate * gradient

    return step


def published_loss(activations: Mapping[str, Any]) -> Any:
    """The example's loss: weighted means of squares, without the two outer positions of each layer."""
    import tensorflow as tf

    total = tf.zeros([])
    for layer, weight in WEIGHTS.items():
        a = activations[layer]
        size = tf.reduce_prod(tf.cast(tf.shape(a), tf.float32))
        total += weight * tf.reduce_sum(tf.square(a[:, 2:-2, 2:-2, :])) / size
    return total
