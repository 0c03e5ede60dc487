"""The page and the contact sheet of an atlas, made from drawn tiles."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from kerasdream.atlas import content, page, sheet
from kerasdream.errors import DreamError
from kerasdream.models import tables


def test_a_missing_tile_has_an_empty_place(tmp_path, read_page):
    stem = [layer for layer in tables.layers("efficientnet_lite0") if layer.name == "stem"]
    atlas = content.of_channels("efficientnet_lite0", stem, [0, 1])
    with pytest.raises(DreamError, match="none of these layers or channels responds"):
        sheet.make(atlas, tmp_path)
    Image.new("RGB", (64, 64), (200, 0, 0)).save(tmp_path / "stem-channel-1.png")
    whole = np.asarray(sheet.make(atlas, tmp_path))
    assert (whole == (200, 0, 0)).all(axis=2).sum() == 64 * 64
    found = read_page(page.make(atlas, tmp_path))
    assert found.text.count("Nothing responds") == len(found.images) == 1
    assert found.tags.count("figure") == 2
    assert "nothing in the noise excited the channel" in " ".join(found.text.split())


def test_names_are_escaped(tmp_path, read_page):
    layer = tables.Layer("a<b>/c&d", 3, 2, 7, (2, 0, 3))
    atlas = content.of_layers('"model"', [layer], None)
    (tile,) = atlas.tiles
    assert tile.file == "a-b-c-d"
    Image.new("RGB", (64, 48)).save(tmp_path / f"{tile.file}.png")
    found = read_page(page.make(atlas, tmp_path))
    assert "a<b>/c&d" in found.text
    assert 'layer a<b>/c&d of "model"' in found.images[0]["alt"]


def test_a_page_of_classes_does_not_mention_layers(tmp_path, read_page):
    atlas = content.of_classes("efficientnet_lite0", [130], True)
    Image.new("RGB", (64, 64)).save(tmp_path / "class-130.png")
    found = read_page(page.make(atlas, tmp_path))
    assert "what its classes look like" in found.text
    assert found.images[0]["alt"] == "What efficientnet_lite0 draws for the class 130 flamingo"
    assert not {"layer", "Channels", "Stride"} & set(found.text.replace(":", " ").split())
