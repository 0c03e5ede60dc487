"""Several networks as one: each layer sees the picture as in its own network, and classes are averaged."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from kerasdream import ConfigError, Network, from_range
from kerasdream.models.ensemble import combined
from kerasdream.models.extractor import build_extractor


def network(name, size=None, classes=5, input_range=(-1, 1)):
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((size, size, 3)),
            layers.Conv2D(4, 3, strides=2, padding="same", activation="relu", name="seen"),
            layers.GlobalAveragePooling2D(),
            layers.Dense(classes),
        ]
    )
    return Network(name, model, from_range(*input_range))


PICTURE = np.random.default_rng(0).uniform(-1, 1, (1, 32, 48, 3)).astype("float32")


def test_layers_are_those_of_each_network_and_classes_are_their_mean():
    members = [network("a"), network("b", input_range=(0, 255))]
    extractor = build_extractor(combined(members).model, ["a/seen", "b/seen", "logits"])
    found = extractor.model(PICTURE)
    for member in members:
        seen = member.model.get_layer("seen")(member.preprocess(PICTURE))
        np.testing.assert_allclose(found[f"{member.name}/seen"], seen, rtol=1e-5, atol=1e-5)
        assert extractor.geometry[f"{member.name}/seen"][0].stride == 2
        assert extractor.geometry[f"{member.name}/seen"][0].local
    logits = np.mean([member.model(member.preprocess(PICTURE)) for member in members], axis=0)
    np.testing.assert_allclose(found["logits"], logits, rtol=1e-5, atol=1e-5)


def test_networks_with_different_classes_have_no_classes_together():
    names = [layer.name for layer in combined([network("a"), network("b", classes=3)]).model.layers]
    assert "logits" not in names


def test_networks_with_the_same_name_are_refused():
    with pytest.raises(ConfigError, match="two networks called a"):
        combined([network("a"), network("a")])


def test_a_network_that_takes_no_rgb_picture_is_refused():
    grey = keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Conv2D(2, 3)])
    with pytest.raises(ConfigError, match="grey takes more"):
        combined([network("a"), Network("grey", grey, lambda picture: picture)])
