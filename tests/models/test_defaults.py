"""Default layers: the rule, on every named network."""

from __future__ import annotations

import pytest

from kerasdream.models import defaults, tables
from kerasdream.models.applications import FACTORIES
from kerasdream.models.tables import Layer
from kerasdream.plan.tiling import Lattice


@pytest.mark.parametrize("name", FACTORIES)
def test_named_networks_have_a_middle_and_a_late_layer(name):
    rows = tables.layers(name)
    depth = {row.name: (index + 1) / len(rows) for index, row in enumerate(rows)}
    stride = {row.name: row.stride for row in rows}
    middle, late = defaults.by_depth(rows)
    assert abs(depth[middle] - 0.55) < 0.1
    assert abs(depth[late] - 0.8) < 0.1
    assert stride[middle] in (8, 16, 32)
    assert stride[late] in (16, 32)
    assert set(defaults.named(name)) <= stride.keys()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("resnet50", ["conv4_block1_out", "conv4_block6_out"]),
        ("vgg16", ["block4_conv1", "block5_conv1"]),
        ("mobilenet_v2", ["block_9_expand_relu", "block_14_expand_relu"]),
    ],
)
def test_activations_and_the_ends_of_blocks_are_preferred(name, expected):
    assert defaults.named(name) == expected


def rows(*layers):
    return [Layer(name, channels, stride, field, Lattice()) for name, channels, stride, field in layers]


def test_in_a_small_network_the_last_convolution_is_taken():
    found = rows(("conv2d", 8, 1, 3), ("max_pooling2d", 8, 2, 4), ("conv2d_1", 8, 2, 8), ("flatten", 0, 0, 0))
    assert defaults.by_depth(found) == ["conv2d_1"]


def test_class_names_count_like_names_and_a_network_without_positions_has_none():
    found = rows(("a", 8, 1, 3), ("b", 8, 2, 4))
    assert defaults.by_depth(found, dict(zip(found, ["Conv2D", "MaxPooling2D"], strict=True))) == ["a"]
    assert defaults.by_depth(rows(("dense", 8, 0, 0))) == []
