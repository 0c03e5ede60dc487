"""Networks with channels first give what the same network with channels last gives."""

import keras
import numpy as np
import pytest

from kerasdream.models.extractor import build_extractor

L = keras.layers
SIDE = 32


class Doubled(L.Layer):
    def call(self, tensor):
        return 2 * tensor


def twins(build):
    """Return the model with channels first and with channels last, of the same weights."""
    models = []
    for order in ("channels_first", "channels_last"):
        first = order == "channels_first"
        picture = keras.Input((3, SIDE, SIDE) if first else (SIDE, SIDE, 3))
        models.append(keras.Model(picture, build(picture, order, 1 if first else -1), name="mine"))
    first, last = models
    last.set_weights([np.random.default_rng(i).uniform(0.1, 1, w.shape) for i, w in enumerate(last.get_weights())])
    first.set_weights(last.get_weights())
    return first, last


def plain(picture, order, axis):
    x = L.Conv2D(6, 3, data_format=order, use_bias=False, name="one")(L.Rescaling(1 / 255)(picture))
    x = L.ReLU()(L.BatchNormalization(axis=axis, name="norm")(x))
    y = L.DepthwiseConv2D(3, padding="same", data_format=order)(x)
    x = L.Concatenate(axis=axis)([L.Add()([x, y]), Doubled()(y)])
    x = L.Softmax(axis=axis)(L.MaxPooling2D(2, data_format=order)(x))
    return L.Conv2D(4, 3, data_format=order, name="end")(x * 0.5)


def squeezed(picture, order, axis):
    """Squeeze and excitation, then Flatten and Dense."""
    x = L.Conv2D(6, 5, strides=4, data_format=order)(L.Rescaling(1 / 255)(picture))
    gate = L.Dense(6, activation="sigmoid")(L.GlobalAveragePooling2D(data_format=order)(x))
    x = L.Multiply()([x, L.Reshape((6, 1, 1) if axis == 1 else (1, 1, 6))(gate)])
    return L.Dense(5, name="end")(L.Flatten(data_format=order)(x))


@pytest.mark.parametrize("build", [plain, squeezed])
def test_channels_first_equals_channels_last(own, build):
    first, last = twins(build)
    picture = own.photo()
    own.assert_same(own.dreamed(first, "end", picture), own.independent(last, "end", picture, lambda pixels: pixels))


def test_channels_first_is_folded_and_its_maps_have_channels_last(own):
    first, last = twins(plain)
    extractor = build_extractor(first, ["norm", "end"])
    assert extractor.folded == 1
    pixels = (own.photo()[None] + 1) * 127.5
    expected = keras.Model(last.input, last.get_layer("norm").output)(pixels).numpy()
    found = extractor.model(pixels)["norm"].numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())
    assert [axis.stride for axis in extractor.geometry["end"]] == [2, 2]


def test_a_network_that_turns_its_picture_round_itself(own):
    picture = keras.Input((3, SIDE, SIDE))
    conv = L.Conv2D(6, 3, name="conv")
    model = keras.Model(
        picture, L.Conv2D(6, 3, name="conv")(L.Permute((2, 3, 1), name="turn")(L.Rescaling(1 / 255)(picture)))
    )
    alike = keras.Input((SIDE, SIDE, 3))
    last = keras.Model(alike, conv(L.Rescaling(1 / 255)(alike)))
    last.set_weights(model.get_weights())
    expected = own.independent(last, "conv", own.photo(), lambda pixels: pixels)
    own.assert_same(own.dreamed(model, "conv", own.photo()), expected)
    assert build_extractor(model, ["turn"]).model.output["turn"].shape == (None, None, None, 3)
