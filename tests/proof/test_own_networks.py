"""Networks of one's own, trained for seconds: with nothing but the file and its range, the default layer rises.

Each network looks at pictures another way. None of its numbers are known to kerasdream, least of all how steep its
layers are, which differ by orders of magnitude.
"""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFont

import kerasdream
from kerasdream import images
from kerasdream.models import efficientnet_lite

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


def digits(count=3000):
    """Printed digits, slightly turned and moved, under noise; levels ``(count, 28, 28, 1)`` and labels."""
    random = np.random.default_rng(0)
    pictures, labels = np.empty((count, 28, 28, 1), "float32"), random.integers(0, 10, count)
    fonts = [ImageFont.load_default(size) for size in range(18, 27)]
    for picture, label in zip(pictures, labels, strict=True):
        page = Image.new("L", (28, 28))
        centre = tuple(14 + random.uniform(-2, 2, 2))
        bright = int(random.integers(160, 256))
        ImageDraw.Draw(page).text(centre, str(label), bright, fonts[random.integers(len(fonts))], anchor="mm")
        turned = np.asarray(page.rotate(random.uniform(-15, 15), Image.Resampling.BILINEAR))
        picture[..., 0] = turned + random.normal(0, 6, (28, 28))
    return pictures.clip(0, 255), labels


def ending(seen, classes=5):
    return L.Dense(classes, activation="softmax", dtype="float32")(seen)


def convolutions(picture, scale=1 / 255):
    """Two convolutions, the second of which is ``seen``."""
    first = L.Conv2D(16, 3, activation="relu")(L.Rescaling(scale)(picture))
    return L.Conv2D(32, 3, activation="relu", name="seen")(L.MaxPooling2D()(first))


def grey():
    picture = keras.Input((28, 28, 1))
    return keras.Model(picture, ending(L.Dropout(0.3)(L.Flatten()(L.MaxPooling2D()(convolutions(picture)))), 10))


def five_channels():
    picture = keras.Input((SIDE, SIDE, 5))
    return keras.Model(picture, ending(L.GlobalAveragePooling2D()(convolutions(picture))))


def flat():
    picture = keras.Input((SIDE, SIDE, 3))
    hidden = L.Dense(32, activation="relu")(L.Flatten()(L.MaxPooling2D()(convolutions(picture))))
    return keras.Model(picture, ending(hidden))


def transfer():
    """A network inside, behind augmentation."""
    inner = keras.Input((SIDE, SIDE, 3))
    deep = L.Conv2D(16, 3, strides=2, padding="same", activation="relu")(inner)
    deep = L.Conv2D(32, 3, padding="same", activation="relu", name="deep")(deep)
    picture = keras.Input((SIDE, SIDE, 3))
    augmented = L.Rescaling(1 / 127.5, offset=-1)(L.RandomRotation(0.1)(L.RandomFlip()(picture)))
    inside = keras.Model(inner, deep, name="base")(augmented)
    return keras.Model(picture, ending(L.Dropout(0.2)(L.GlobalAveragePooling2D()(inside))))


def normalised():
    seen = picture = keras.Input((SIDE, SIDE, 3))
    for width in 16, 24:
        seen = L.BatchNormalization()(L.Conv2D(width, 3, padding="same", use_bias=False)(seen))
        seen = L.MaxPooling2D()(L.ReLU()(seen))
    return keras.Model(picture, ending(L.GlobalAveragePooling2D()(seen)))


def mixed_bfloat16():
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        return flat()
    finally:
        keras.mixed_precision.set_global_policy("float32")


def two_inputs():
    picture, meta = keras.Input((SIDE, SIDE, 3), name="photo"), keras.Input((2,), name="meta")
    both = L.Concatenate()([L.GlobalAveragePooling2D()(convolutions(picture)), meta])
    return keras.Model([picture, meta], ending(both))


def transformer():
    picture = keras.Input((SIDE, SIDE, 3))
    patches = L.Conv2D(48, 8, strides=8, name="patches")(L.Rescaling(1 / 127.5, offset=-1)(picture))
    tokens = L.Reshape((36, 48))(patches)
    for _ in range(2):
        normal = L.LayerNormalization()(tokens)
        tokens = L.Add()([tokens, L.MultiHeadAttention(3, 16)(normal, normal)])
        wide = L.Dense(96, activation="gelu")(L.LayerNormalization()(tokens))
        tokens = L.Add()([tokens, L.Dense(48)(wide)])
    return keras.Model(picture, ending(L.GlobalAveragePooling1D()(tokens)))


def wide():
    """Large numbers everywhere: the pixels are not rescaled, and the layer is linear."""
    picture = keras.Input((SIDE, SIDE, 3))
    seen = L.Conv2D(64, 3, strides=2, name="seen")(L.Conv2D(32, 5, strides=2, activation="relu")(picture))
    return keras.Model(picture, ending(L.GlobalAveragePooling2D()(L.ReLU()(seen))))


def bounded():
    picture = keras.Input((SIDE, SIDE, 3))
    seen = L.AveragePooling2D(2)(L.Conv2D(16, 5, activation="tanh")(L.Rescaling(1 / 255, offset=-0.5)(picture)))
    seen = L.Conv2D(16, 5, activation="sigmoid", name="seen")(seen)
    return keras.Model(picture, ending(L.Dropout(0.2)(L.Flatten()(seen))))


def trained(build):
    """Return the network after a few epochs, and what it was given."""
    keras.utils.set_random_seed(0)
    model = build()
    model.compile(keras.optimizers.Adam(0.003), "sparse_categorical_crossentropy", metrics=["accuracy"])
    pictures, labels = digits() if build is grey else textures()
    if build is five_channels:
        pictures = np.concatenate([pictures, pictures[..., :2] / 2 + 60], axis=-1)
    given = [pictures, np.zeros((len(pictures), 2), "float32")] if build is two_inputs else pictures
    found = model.fit(given, labels, epochs=8 if build is grey else 25, batch_size=32, verbose=0)
    assert found.history["accuracy"][-1] > 2.0 / model.output_shape[-1]  # it has learnt something
    return model


def mean_square(model, layer, picture):
    """Mean square of the layer over the windows of a picture that the network was built for, by plain Keras."""
    side, channels = model.inputs[0].shape[1], model.inputs[0].shape[-1]
    rows, columns = (length // side for length in picture.shape[:2])
    cut = picture[: rows * side, : columns * side].reshape(rows, side, columns, side, 3).swapaxes(1, 2)
    windows = (cut.reshape(-1, side, side, 3) + 1) * 127.5
    if channels == 1:
        windows = windows @ np.array([[0.299], [0.587], [0.114]], "float32")
    if channels == 5:
        windows = np.concatenate([windows, np.full((*windows.shape[:3], 2), 127.5, "float32")], axis=-1)
    *outer, name = layer.split("/")
    for inside in outer:  # behind the augmentation, which does nothing now
        model, windows = model.get_layer(inside), windows / 127.5 - 1
    more = [np.zeros((len(windows), 2), "float32")] * (len(model.inputs) - 1)
    features = keras.Model(model.inputs, model.get_layer(name).output)
    seen = features([windows, *more] if more else windows, training=False)
    return float(np.square(np.asarray(keras.ops.cast(seen, "float32"))).mean())


NETWORKS = (
    grey, five_channels, flat, transfer, normalised, mixed_bfloat16, two_inputs, transformer, wide, bounded,
)  # fmt: skip


@pytest.mark.proof
@pytest.mark.parametrize("build", NETWORKS)
def test_defaults_at_least_double_the_layers_mean_square(build, chelsea, tmp_path):
    model = trained(build)
    model.save(tmp_path / "mine.keras")
    photo = images.resize(chelsea[:, 60:390], (168, 192)).clip(-1, 1)
    result = kerasdream.dream(photo, model={"file": str(tmp_path / "mine.keras"), "input_range": [0, 255]})
    layer = result.manifest["recipe"]["objectives"][0]["l2"]["layer"]
    gain = mean_square(model, layer, result.image) / mean_square(model, layer, photo)
    print(build.__name__, layer, f"gain {gain:.2f}", result.notes)
    assert gain >= 2
    assert not any("outweighs" in note or "hardly" in note for note in result.notes)


@pytest.mark.proof
@pytest.mark.parametrize(("name", "layer"), [("efficientnet_lite0", "block11_expand"), ("efficientnet_lite1", None)])
def test_defaults_at_least_double_the_mean_square_of_the_embedded_networks(name, layer, chelsea):
    result = kerasdream.dream(chelsea, model=name)
    found = result.manifest["recipe"]["objectives"][0]["l2"]["layer"]
    assert layer in (None, found)
    network = getattr(efficientnet_lite, name)()
    features = keras.Model(network.model.input, network.model.get_layer(found).output)
    before, after = (
        float(np.square(features(network.preprocess(picture[None]))).mean()) for picture in (chelsea, result.image)
    )
    print(name, found, f"gain {after / before:.2f}")
    assert after >= 2 * before


@pytest.mark.proof
def test_a_network_of_grey_digits_draws_digits_that_it_reads_as_asked(tmp_path):
    model = trained(grey)
    model.save(tmp_path / "digits.keras")
    read = []
    for digit in range(10):
        result = kerasdream.run(
            {
                "preset": "class",
                "image": {"source": "noise", "size": [96, 96]},
                "model": {"file": str(tmp_path / "digits.keras"), "input_range": [0, 255]},
                "objectives": [{"class": {"index": digit}}],
                "outputs": [],
            }
        )
        assert np.ptp(result.image, axis=-1).max() == 0  # grey
        small = Image.fromarray(images.to_uint8(result.image)[..., 0]).resize((28, 28), Image.Resampling.LANCZOS)
        read.append(int(model.predict(np.asarray(small, "float32")[None, ..., None], verbose=0).argmax()))
    assert read == list(range(10))
