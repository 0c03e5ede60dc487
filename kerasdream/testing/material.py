"""The material of the checks: a real photo, and a network small enough to be fast."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

from kerasdream import images
from kerasdream.components import Network, from_range

PHOTO = Path(__file__).parent / "raccoon.jpg"
"""A photo of a raccoon, 160 pixels wide; public domain (public-domain-image.com, raccoon-procyon-lotor)."""


def photo() -> np.ndarray:
    """Return a real photo, ``(120, 160, 3)`` float32 in [-1, 1]; a new copy each time."""
    return images.read(PHOTO).pixels.copy()


@cache
def tiny_network() -> Network:
    """Return a network with fixed random weights, for pictures in [-1, 1] of any size.

    Its layers are convolutions: ``conv1`` (8 channels, stride 2), ``conv2`` (8 channels, stride 4) and ``conv3`` (4
    channels, stride 4, linear).
    """
    import keras

    x = picture = keras.Input((None, None, 3), name="picture")
    for number, (channels, strides, activation) in enumerate(((8, 2, "elu"), (8, 2, "elu"), (4, 1, None)), start=1):
        x = keras.layers.Conv2D(
            channels,
            3,
            strides=strides,
            padding="same",
            activation=activation,
            kernel_initializer=keras.initializers.GlorotUniform(seed=number),
            name=f"conv{number}",
        )(x)
    return Network("tiny", keras.Model(picture, x, name="tiny"), from_range(-1, 1))
