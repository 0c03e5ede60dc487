"""The contestants: from a picture to the next one. All raise the mean activation of the same layers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from benchmarks import keras_io, tutorial
from benchmarks.cases import Case

RATE = 0.01


@dataclass(frozen=True)
class Contestant:
    """A way to dream.

    Attributes:
        start: from a ``(height, width, 3)`` float32 array in [-1, 1], which it may keep, to its own kind of picture.
        step: from such a picture to the next one: gradient, normalised, added.
        covered: (height, width) -> how many pixels of the picture a step reaches.
    """

    start: Callable[[Any], Any]
    step: Callable[[Any], Any]
    covered: Callable[[tuple[int, int]], int] = lambda shape: shape[0] * shape[1]

    def wait(self, picture: Any) -> Any:
        """Take a step and wait until it is done, also on an accelerator."""
        picture = self.step(picture)
        float(picture[(0,) * len(picture.shape)])
        return picture


def kerasdream_step(case: Case) -> Contestant:
    """kerasdream's gradient step with its defaults, in a minimal loop."""
    from kerasdream import GradientStep, Objective, ops

    def mean(layer: str) -> Objective:
        return Objective(layer, lambda activations: ops.mean(activations[layer], axis=-1))

    gradient_step, numbers = GradientStep(case.network, [mean(layer) for layer in case.layers]), count()

    def step(picture: Any) -> Any:
        _, gradient = gradient_step(picture, step=next(numbers))
        scale = RATE / (float(np.vdot(gradient, gradient) / gradient.size) ** 0.5 + 1e-8)
        for pixels, slope in zip(np.array_split(picture, 16), np.array_split(gradient, 16), strict=True):
            pixels += scale * slope  # in strips, without another copy of the picture
            np.clip(pixels, -1, 1, out=pixels)
        return picture

    return Contestant(lambda picture: picture, step)


def tutorial_step(case: Case) -> Contestant:
    """TensorFlow's DeepDream tutorial, tiled; see ``benchmarks.tutorial``."""
    import tensorflow as tf

    gradient = tutorial.tiled_gradient(_activations(case))

    def step(picture: Any) -> Any:
        slope, _ = gradient(picture, tf.shape(picture)[:2], tf.constant(tutorial.TILE))
        return tf.clip_by_value(picture + RATE * slope, -1, 1)

    return Contestant(tf.constant, step, tutorial.covered)


def keras_io_step(case: Case) -> Contestant:
    """The whole picture at once, as in Keras's example, with the same layers and mean as the others."""
    import tensorflow as tf

    activations = _activations(case)

    def loss(pictures: Any) -> Any:
        return sum(tf.reduce_mean(a) for a in activations(pictures))

    return _whole(keras_io.ascent_step(loss))


def keras_io_published(case: Case) -> Contestant:
    """Keras's example with its own layers, mixed4 to mixed7, and weights: deeper, so more to compute."""
    features = _activations(Case(case.network, tuple(keras_io.WEIGHTS)))

    def loss(pictures: Any) -> Any:
        return keras_io.published_loss(dict(zip(keras_io.WEIGHTS, features(pictures), strict=True)))

    return _whole(keras_io.ascent_step(loss))


CONTESTANTS = {"kerasdream": kerasdream_step, "tutorial": tutorial_step, "keras_io": keras_io_step}
TITLES = {
    "kerasdream": "kerasdream",
    "tutorial": "TensorFlow tutorial",
    "keras_io": "keras.io example",
    "keras_io_published": "keras.io, its own layers",
}


def make(name: str, case: Case) -> Contestant:
    """Make a contestant by name."""
    return keras_io_published(case) if name == "keras_io_published" else CONTESTANTS[name](case)


def _whole(ascend: Callable[[Any, float], tuple[Any, Any]]) -> Contestant:
    import tensorflow as tf

    return Contestant(lambda picture: tf.constant(picture[None]), lambda pictures: ascend(pictures, RATE)[1])


def _activations(case: Case) -> Callable[[Any], list[Any]]:
    """Return the function that both published programs build: from pictures in [-1, 1] to the layers' activations."""
    import keras

    model = case.network.model
    features = keras.Model(model.input, {layer: model.get_layer(layer).output for layer in case.layers})

    def activations(pictures: Any) -> list[Any]:
        found = features(case.network.preprocess(pictures))
        return [found[layer] for layer in case.layers]

    return activations
