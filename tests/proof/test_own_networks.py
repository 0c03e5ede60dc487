"""Networks of one's own, trained for seconds: the default settings raise whatever layer one chooses.

Each network looks at pictures another way. None of its numbers are known to kerasdream, least of all how steep its
layers are, which differ by orders of magnitude.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest

import kerasdream

L = keras.layers
SIDE = 48


def textures(count=400):
    """Five textures in random colours: stripes across, upright and aslant, spots, noise; uint8 levels and labels."""
    random = np.random.default_rng(0)
    y, x = np.mgrid[:SIDE, :SIDE]
    pictures, labels = np.empty((count, SIDE, SIDE, 3), "float32"), random.integers(0, 5, count)
    for picture, label in zip(pictures, labels, strict=True):
        pace, phase = random.uniform(0.4, 1.5), random.uniform(0, 6)
        waves = [np.sin(pace * y + phase), np.sin(pace * x + phase), np.sin(pace * (x + y) / 2 + phase)]
        wave = [*waves, waves[0] * waves[1], random.uniform(-1, 1, (SIDE, SIDE))][label]
        colours = random.uniform(0, 255, (2, 3))
        picture[:] = colours[0] + (wave[..., None] + 1) / 2 * (colours[1] - colours[0]) + random.normal(0, 8, (1, 1, 3))
    return pictures.clip(0, 255), labels


def plain():
    return [
        L.Rescaling(1 / 255),
        L.Conv2D(16, 3, activation="relu"), L.MaxPooling2D(),
        L.Conv2D(32, 3, activation="relu", name="seen"), L.GlobalAveragePooling2D(),
    ]  # fmt: skip


def normalised():
    block = [L.Conv2D(16, 3, padding="same", use_bias=False), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D()]
    return [*block, L.Conv2D(24, 3, padding="same"), L.BatchNormalization(), L.ReLU(name="seen"), L.Flatten()]


def separable():
    return [
        L.Rescaling(1 / 127.5, offset=-1),
        L.Conv2D(16, 3, strides=2, padding="same", activation="relu6"),
        L.SeparableConv2D(32, 3, padding="same", activation="relu6"), L.AveragePooling2D(2),
        L.SeparableConv2D(48, 3, padding="same", activation="gelu", name="seen"), L.GlobalMaxPooling2D(),
    ]  # fmt: skip


def deep():
    convolutions = [L.Conv2D(12, 3, padding="same", activation="elu") for _ in range(5)]
    return [L.Rescaling(1 / 255), *convolutions, L.Conv2D(12, 3, strides=2, activation="elu", name="seen"), L.Flatten()]


def wide():
    """Large numbers everywhere: the pixels are not rescaled, and the layer is linear."""
    return [
        L.Conv2D(32, 5, strides=2, activation="relu"),
        L.Conv2D(64, 3, strides=2, name="seen"), L.ReLU(), L.GlobalAveragePooling2D(),
    ]  # fmt: skip


def bounded():
    return [
        L.Rescaling(1 / 255, offset=-0.5),
        L.Conv2D(16, 5, activation="tanh"), L.AveragePooling2D(2),
        L.Conv2D(16, 5, activation="sigmoid", name="seen"), L.Flatten(), L.Dropout(0.2),
    ]  # fmt: skip


def mean_square(model, picture):
    """Mean square of the layer over the windows of a picture that the network was built for, by plain Keras."""
    features = keras.Model(model.inputs, model.get_layer("seen").output)
    rows, columns = (side // SIDE for side in picture.shape[:2])
    cut = picture[: rows * SIDE, : columns * SIDE].reshape(rows, SIDE, columns, SIDE, 3).swapaxes(1, 2)
    return float(np.square(features.predict((cut.reshape(-1, SIDE, SIDE, 3) + 1) * 127.5, verbose=0)).mean())


@pytest.mark.proof
@pytest.mark.parametrize("layers", [plain, normalised, separable, deep, wide, bounded])
def test_defaults_at_least_double_the_layers_mean_square(layers, chelsea):
    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((SIDE, SIDE, 3)), *layers(), L.Dense(5, activation="softmax")])
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    pictures, labels = textures()
    trained = model.fit(pictures, labels, epochs=30, batch_size=32, verbose=0).history["accuracy"][-1]
    assert trained > 0.5  # it has learnt something; chance is 0.2
    photo = chelsea[:240, :384]
    result = kerasdream.dream(photo, model=model, input_range=(0, 255), objectives={"l2": "seen"})
    gain = mean_square(model, result.image) / mean_square(model, photo)
    print(layers.__name__, f"accuracy {trained:.2f}, gain {gain:.2f}", result.notes)
    assert gain >= 2
    assert not any("outweighs" in note or "hardly" in note for note in result.notes)
