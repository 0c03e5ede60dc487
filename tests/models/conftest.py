"""What tests of users' networks share: the engine's gradient, and the same through the user's model alone."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdream import GradientStep, Network, Objective, from_range, ops
from kerasdream.plan.crops import Windows

SIDE = 32


def photo(seed=7):
    """Return a colour picture, ``(SIDE, SIDE, 3)`` in [-1, 1]."""
    return np.random.default_rng(seed).uniform(-1, 1, (SIDE, SIDE, 3)).astype("float32")


def energy(activations):
    """Return one number per picture: the mean of the squares."""
    return ops.mean(ops.square(activations), axis=tuple(range(1, len(activations.shape))))


def dreamed(model, layer, picture, **options):
    """Return score and gradient as kerasdream computes them, of a single window that is the whole picture."""
    network = Network("mine", model, options.pop("preprocess", from_range(0, 255)), **options)
    step = GradientStep(network, Objective(layer, lambda found: energy(found[layer])), crops=Windows(SIDE))
    return step(picture)


def independent(model, layer, picture, inputs):
    """Return the same through the user's model itself, with TensorFlow only.

    Args:
        inputs: from the picture, a tensor (1, SIDE, SIDE, 3) in [0, 255], to the model's inputs.
    """
    features = keras.Model(model.inputs, model.get_layer(layer).output)
    pixels = tf.constant(picture[None])
    with tf.GradientTape() as tape:
        tape.watch(pixels)
        score = tf.reduce_mean(tf.square(features(inputs((pixels + 1) * 127.5))))
    return float(score), tape.gradient(score, pixels)[0].numpy()


def assert_same(found, expected):
    """Compare (score, gradient) pairs."""
    assert np.isclose(found[0], expected[0], rtol=1e-4)
    assert np.abs(expected[1]).max() > 0
    np.testing.assert_allclose(found[1], expected[1], atol=1e-4 * np.abs(expected[1]).max())


@pytest.fixture
def own():
    """The functions above."""
    return SimpleNamespace(photo=photo, dreamed=dreamed, independent=independent, assert_same=assert_same)
