"""The shipped layer tables: one for each network, equal to what a build gives (see also test_applications)."""

from kerasdream.models import tables
from kerasdream.plugins.manager import discover


def test_every_named_network_has_a_table():
    named = {name for name in discover().registry.entries["models"] if name not in ("file", "ensemble")}
    assert {path.stem for path in tables.FOLDER.glob("*.json")} == named == set(tables._factories())
    assert tables.layers("no_such_network") is None


def test_table_of_the_default_network_equals_the_network(lite0):
    assert tables.layers_of(lite0) == tables.layers("efficientnet_lite0")


def test_tables_are_written_as_they_are_shipped(tmp_path, monkeypatch):
    shipped = (tables.FOLDER / "mobilenet.json").read_bytes()
    monkeypatch.setattr(tables, "FOLDER", tmp_path / "layers")
    tables._write("mobilenet")
    assert (tmp_path / "layers" / "mobilenet.json").read_bytes() == shipped


def test_tables_have_strides_and_sizes():
    rows = {row.name: row for row in tables.layers("inception_v3")}
    assert rows["mixed5"] == ("mixed5", 768, 16, 543, (16, 11, 59))
    lite0 = {row.name: row for row in tables.layers("efficientnet_lite0")}
    assert lite0["block11_expand"][:4] == ("block11_expand", 672, 16, 339)
    assert (lite0["logits"].stride, lite0["logits"].field) == (0, 0)
