"""From the picture's values to those a network expects."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras.applications.imagenet_utils import preprocess_input
from pydantic import TypeAdapter, ValidationError

from kerasdream.errors import ModelError
from kerasdream.models.scaling import Preprocess, arriving, from_preprocess, scaling_for

LEVELS = np.random.default_rng(0).integers(0, 256, (1, 5, 4, 3))
PICTURE = (LEVELS / 127.5 - 1).astype("float32")


@pytest.mark.parametrize("mode", ["caffe", "torch", "tf"])
def test_the_modes_are_those_of_keras(mode):
    expected = preprocess_input(LEVELS.astype("float32"), data_format="channels_last", mode=mode)
    np.testing.assert_allclose(from_preprocess(mode)(PICTURE), expected, rtol=1e-4, atol=1e-4)


def given(**values):
    return TypeAdapter(Preprocess).validate_python(values)


def test_mean_std_and_order_are_applied_to_values_up_to_1_or_255():
    means, stds = [0.1, 0.2, 0.3], [0.4, 0.5, 0.6]
    expected = (LEVELS[..., ::-1] / 255 - means) / stds
    np.testing.assert_allclose(from_preprocess(given(mean=means, std=stds, order="bgr"))(PICTURE), expected, atol=1e-5)
    expected = (LEVELS - 128) / 64
    np.testing.assert_allclose(
        from_preprocess(given(mean=[128.0], std=[64.0], scale=255))(PICTURE), expected, atol=1e-4
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"mean": [103.9, 116.8, 123.7]}, "add scale: 255"),
        ({"mean": [0.5, 0.5, 0.5], "std": [0.2, 0.2]}, "as many values in std as in mean"),
        ({"mean": [0.5], "std": [0.0]}, "greater than 0"),
    ],
)
def test_numbers_that_do_not_fit_are_refused(values, message):
    with pytest.raises(ValidationError, match=message):
        given(**values)


def network(*first):
    return keras.Sequential([keras.Input((16, 16, 3)), *first, keras.layers.Conv2D(2, 3, name="c1")])


def adapted(*values):
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(0).uniform(*values, (8, 16, 16, 3)).astype("float32"))
    return layer


def by_operations():
    picture = keras.Input((16, 16, 3))
    return keras.Model(picture, keras.layers.Conv2D(2, 3, name="c1")(picture / 127.5 - 1.0))


def nested():
    outer = keras.Input((16, 16, 3))
    scaled = keras.Sequential([keras.layers.RandomFlip(), keras.layers.Rescaling(1 / 127.5, -1)])(outer)
    return keras.Model(outer, network()(scaled))


INFERRED = {
    "rescaling": (lambda: network(keras.layers.Rescaling(1 / 255)), (0, 255)),
    "rescaling of [0, 1]": (lambda: network(keras.layers.Rescaling(2, -1)), (0, 1)),
    "normalization of [0, 255]": (lambda: network(adapted(0, 255)), (0, 255)),
    "normalization of [0, 1]": (lambda: network(keras.layers.RandomFlip(), adapted(0, 1)), (0, 1)),
    "operations": (by_operations, (0, 255)),
    "lambda": (lambda: network(keras.layers.Lambda(lambda value: value[..., ::-1] - 117.0)), (0, 255)),
    "nested": (nested, (0, 255)),
    "augmentation only": (lambda: network(keras.layers.RandomFlip()), None),
    "none": (network, None),
}


@pytest.mark.parametrize("case", INFERRED)
def test_the_range_follows_from_the_first_layers_where_they_rescale(case):
    build, expected = INFERRED[case]
    found = arriving(build())
    assert (found.layer, found.expected) == ("c1", expected)


def test_an_inferred_range_is_said_and_applied():
    how, notes = scaling_for("net.keras", network(keras.layers.Rescaling(1 / 255)), None, None)
    assert notes == ("net.keras gets pixel values from 0 to 255, which its own layers before 'c1' rescale",)
    np.testing.assert_allclose(how(PICTURE), LEVELS, atol=1e-3)


def test_a_range_is_never_guessed_and_never_given_twice():
    with pytest.raises(ModelError, match="which pixel values was net"):
        scaling_for("net.keras", network(), None, None)
    with pytest.raises(ModelError, match="input_range and preprocess both say"):
        scaling_for("net.keras", network(), (0, 1), "tf")
