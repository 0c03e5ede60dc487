"""The entry ``model: {ensemble: [...]}``, from the run file to the recipe and a dream."""

from __future__ import annotations

import numpy as np
import pytest

import kerasdream
from kerasdream import ConfigError
from kerasdream.config.ensembles import for_each
from kerasdream.plugins.manager import discover

BOTH = {"ensemble": ["efficientnet_lite0", {"name": "efficientnet_lite1"}]}


def load(**data):
    return kerasdream.load_config({"image": "noise", "model": BOTH, **data})


def test_an_objective_with_a_layer_for_each_network_is_their_mean():
    layers = {"efficientnet_lite0": "block9_expand", "efficientnet_lite1": "block12_expand", "inception_v3": "mixed4"}
    config = load(objectives=[{"l2": {"layer": layers, "weight": 3}}, {"l2": "efficientnet_lite1/block7_expand"}])
    assert [entry.recipe for entry in config.objectives] == [
        {"l2": {"layer": "efficientnet_lite0/block9_expand", "weight": 1.5}},
        {"l2": {"layer": "efficientnet_lite1/block12_expand", "weight": 1.5}},
        {"l2": {"layer": "efficientnet_lite1/block7_expand", "weight": 1.0}},
    ]
    named = [{"name": name, "weights": "imagenet"} for name in ("efficientnet_lite0", "efficientnet_lite1")]
    assert config.data["model"] == {"name": "ensemble", "networks": named}
    again = kerasdream.load_config({**config.data})
    assert again.data == config.data


def test_without_objectives_each_network_has_its_default_layer():
    assert [entry.recipe["l2"]["layer"] for entry in load().objectives] == [
        "efficientnet_lite0/block11_expand",
        "efficientnet_lite1/block15_expand",
    ]


def test_an_entry_without_a_layer_for_each_network_is_left_alone():
    for item in ("l2", {"l2": "a/x"}, {"l2": {"layer": "a/x"}}, {"l2": {"layer": {"c": "x"}}}):
        assert for_each(item, ("a", "b"), lambda name: ["layer"]) == [item]


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ({"ensemble": ["efficientnet_lite0"]}, "model.networks: expected"),
        ({"ensemble": ["efficientnet_lite0", "lite1"]}, "model.networks.1: unknown model 'lite1'"),
        ({"ensemble": ["efficientnet_lite0", {"wights": 1}]}, "model.networks.1: expected a name"),
    ],
)
def test_errors_name_the_network(model, error):
    with pytest.raises(ConfigError) as caught:
        load(model=model, objectives=[{"class": {"name": "hen"}}])
    assert error in str(caught.value)


def test_schema_allows_the_short_form(schema):
    assert schema.is_valid({"image": "photo.jpg", "model": BOTH})
    assert not schema.is_valid({"image": "photo.jpg", "model": "ensemble"})


@pytest.mark.no_cover
def test_an_ensemble_dreams(chelsea):
    """The gain is measured in each network by itself."""
    picture = chelsea[60:188, 100:228]
    layers = {"efficientnet_lite0": "block3_expand", "efficientnet_lite1": "block5_expand"}
    result = kerasdream.dream(
        picture, model=BOTH, objectives={"l2": {"layer": layers}}, octaves={"count": 1, "steps": 6}, seed=1
    )
    for name, layer in layers.items():
        network = discover().registry.get("models", name).factory()
        see = kerasdream.feature_extractor(network.model, [layer])
        seen = [see(network.preprocess(each[None]))[layer] for each in (picture, result.image)]
        before, after = (np.square(activations).mean() for activations in seen)
        assert after > 1.1 * before, name
