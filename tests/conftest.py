"""What the tests share: real photos, the embedded network, a tiny random one."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest
import skimage.data


@pytest.fixture(scope="session")
def chelsea() -> np.ndarray:
    """A cat (CC0, scikit-image): (300, 451, 3) float32 in [-1, 1]."""
    return skimage.data.chelsea().astype("float32") / 127.5 - 1


@pytest.fixture(scope="session")
def coffee() -> np.ndarray:
    """A cup of coffee (CC0, scikit-image): (400, 600, 3) float32 in [-1, 1]."""
    return skimage.data.coffee().astype("float32") / 127.5 - 1


@pytest.fixture(scope="session")
def lite0():
    """The embedded network with its ImageNet weights."""
    from kerasdream.models.efficientnet_lite0 import efficientnet_lite0

    return efficientnet_lite0()


@pytest.fixture(scope="session")
def tiny():
    """A small random network, SAME padding, stride 4, receptive field 15; layers c1, b1, r1, c2, r2, c3."""
    import keras

    keras.utils.set_random_seed(1)
    layers = keras.layers
    picture = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="c1")(picture)
    x = layers.BatchNormalization(name="b1")(x)
    x = layers.ReLU(name="r1")(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", name="c2")(x)
    x = layers.ReLU(name="r2")(x)
    model = keras.Model(picture, layers.Conv2D(4, 3, padding="same", name="c3")(x), name="tiny")
    random = np.random.default_rng(2)
    gamma, beta, mean, variance = (random.uniform(0.5, 1.5, 8) for _ in range(4))
    model.get_layer("b1").set_weights([gamma, beta, mean, variance])
    return model
