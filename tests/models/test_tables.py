"""The shipped layer tables are what the networks have."""

import pytest

from kerasdream.models import tables
from kerasdream.plugins.manager import discover

NAMED = [name for name in discover().registry.entries["models"] if name != "file"]
QUICK = ["efficientnet_lite0", "inception_v3", "mobilenet_v2"]


def test_every_named_network_has_a_table():
    assert {path.stem for path in tables.FOLDER.glob("*.json")} == set(NAMED)
    assert tables.layers("no_such_network") is None


@pytest.mark.parametrize(
    "name", [*QUICK, *(pytest.param(n, marks=pytest.mark.slow) for n in ("convnext_tiny", "resnet50", "nasnet_mobile"))]
)
def test_a_table_equals_a_fresh_one(name):
    assert tables.generate(name) == tables.layers(name)


def test_a_table_knows_strides_and_sizes():
    rows = {row.name: row for row in tables.layers("inception_v3")}
    assert rows["mixed5"] == ("mixed5", 768, 16, 543, (16, 11, 59))
    lite0 = {row.name: row for row in tables.layers("efficientnet_lite0")}
    assert lite0["block11_expand"][:4] == ("block11_expand", 672, 16, 339)
    assert (lite0["logits"].stride, lite0["logits"].field) == (0, 0)
