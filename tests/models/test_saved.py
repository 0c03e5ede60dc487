"""What a model file says without Keras."""

from __future__ import annotations

import json

import h5py
import keras
import pytest

from kerasdream.components import Network
from kerasdream.models import saved, tables
from kerasdream.models.applications import FACTORIES


def facts(rows):
    return [(row.name, row.channels, row.stride, row.field) for row in rows]


@pytest.mark.parametrize(("name", "ending"), [("mobilenet_v2", "keras"), ("vgg16", "h5")])
def test_layers_read_from_a_file_are_those_of_the_built_network(tmp_path, name, ending):
    network = FACTORIES[name](weights=None)
    model = keras.Model(network.model.inputs, network.model.outputs)
    model.save(tmp_path / f"net.{ending}")
    found = saved.layers_in_file(tmp_path / f"net.{ending}")
    assert facts(found) == facts(tables.layers_of(Network(name, model, network.preprocess)))


def test_nested_layers_are_listed_with_their_path_and_operations_are_not(tmp_path):
    inner = keras.Sequential([keras.Input((16, 16, 3)), keras.layers.Conv2D(4, 3, strides=2, name="c1")], name="inner")
    picture = keras.Input((16, 16, 3))
    answer = keras.layers.Dense(2, name="answer")(keras.layers.Flatten(name="flat")(inner(picture / 255)))
    keras.Model(picture, answer).save(tmp_path / "net.keras")
    found = saved.layers_in_file(tmp_path / "net.keras")
    assert [(row.name, row.stride) for row in found] == [("inner", 2), ("inner/c1", 2), ("flat", 0), ("answer", 0)]
    assert list(found.values()) == ["Sequential", "Conv2D", "Flatten", "Dense"]


def test_a_file_of_keras_2_is_read(tmp_path):
    layers = [
        {"class_name": "InputLayer", "config": {"batch_input_shape": [None, 32, 32, 3], "name": "input_1"}},
        {"class_name": "Conv2D", "config": {"name": "c1", "filters": 4, "kernel_size": [3, 3], "strides": [2, 2]}},
        {"class_name": "DepthwiseConv2D", "config": {"name": "d1", "kernel_size": [3, 3], "strides": [1, 1]}},
        {"class_name": "Add", "config": {"name": "add", "trainable": True}},
    ]
    reads = [], [[["input_1", 0, 0, {}]]], [[["c1", 0, 0, {}]]], [[["c1", 0, 0, {}], ["d1", 0, 0, {}]]]
    for layer, nodes in zip(layers, reads, strict=True):
        layer |= {"name": layer["config"]["name"], "inbound_nodes": nodes}
    config = {"class_name": "Functional", "config": {"layers": layers, "output_layers": [["add", 0, 0]]}}
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
    assert facts(saved.layers_in_file(tmp_path / "old.h5")) == [("c1", 4, 2, 3), ("d1", 4, 2, 7), ("add", 4, 2, 7)]


@pytest.mark.parametrize("text", ["", "[]", '{"config": 3}', '{"config": {"layers": [1]}}', "[" * 100_000])
def test_a_damaged_configuration_is_no_configuration(tmp_path, text):
    with h5py.File(tmp_path / "odd.h5", "w") as file:
        file.attrs["model_config"] = text if len(text) < 60_000 else text[:60_000]
    assert saved.layers_in_file(tmp_path / "odd.h5") is None


@pytest.mark.parametrize(("first", "raw"), [("Rescaling", False), ("Lambda", False), ("RandomFlip", True)])
def test_values_pass_only_layers_that_keep_them(tmp_path, first, raw):
    made = {
        "Rescaling": keras.layers.Rescaling(1 / 255),
        "Lambda": keras.layers.Lambda(lambda value: value),
        "RandomFlip": keras.layers.RandomFlip(),
    }[first]
    keras.Sequential([keras.Input((16, 16, 3)), made, keras.layers.Conv2D(2, 3)]).save(tmp_path / "net.keras")
    assert saved.takes_values_as_they_are(tmp_path / "net.keras") is raw
