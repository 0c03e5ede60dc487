"""Contents of an atlas: default layers, the run of each tile, captions, lists of numbers."""

from __future__ import annotations

import pytest

from kerasdream.atlas import content
from kerasdream.atlas.content import Tile
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError, ModelError
from kerasdream.models import tables

LITE0 = "efficientnet_lite0"


def rows(*names):
    return [layer for layer in tables.layers(LITE0) if layer.name in names]


@pytest.mark.parametrize("model", ["efficientnet_lite0", "inception_v3", "vgg16", "resnet50", "convnext_tiny"])
@pytest.mark.parametrize("channels", [False, True])
def test_default_layers_exist_and_have_positions(model, channels):
    known = {layer.name: layer for layer in tables.layers(model)}
    names = content.default_layers(model, list(known.values()), channels)
    assert len(set(names)) == len(names) >= 9
    assert all(known[name].stride for name in names)
    assert [name for name in known if name in names] == names


def test_every_default_run_is_valid():
    known = tables.layers(LITE0)
    atlases = [
        content.of_layers(LITE0, known[::6], content.PHOTO),
        content.of_layers(LITE0, known[:2], None),
        content.of_channels(LITE0, rows("stem", "head"), [0, 31]),
        content.of_classes(LITE0, [0, 999], True),
    ]
    for atlas in atlases:
        for tile in atlas.tiles:
            config = resolve(YamlDocument(content.run_of(atlas, tile, 64), "atlas"), content.PHOTO.parent)
            assert config.model.name == LITE0


def test_channels_must_exist():
    with pytest.raises(ModelError, match=r"'stem' has 32 channels; expected 0 to 31, not 40"):
        content.of_channels(LITE0, rows("stem"), [3, 40])


def test_meaning_follows_the_receptive_field():
    meanings = [content.meaning(layer) for layer in tables.layers(LITE0)]
    ends = list(dict.fromkeys(text.partition("enough for ")[2] for text in meanings if "enough for " in text))
    assert ends == [*(f"{what}." for _, what in content.MEANINGS), "whole animals and objects."]
    assert meanings[-1] == "Responds once, to the picture as a whole."


def test_unknown_receptive_field_is_not_given_a_number():
    layer = next(layer for layer in tables.layers("convnext_tiny") if layer.stride and not layer.field)
    assert content.meaning(layer) == "May see the whole picture at a time."
    assert content.facts(layer) == "384 channels, stride 4, may see all of the picture"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0:3", [0, 1, 2]), ("7", [7]), ("3, 1,5:7", [3, 1, 5, 6]), ("flamingo,5,Great_White_Shark", [130, 5, 2])],
)
def test_lists_of_numbers_are_parsed(text, numbers):
    assert list(content.indices(text, names=True)) == numbers


@pytest.mark.parametrize("text", ["", "a", "3:3", "5:2", ":3", "3:", "-1", "1.5", "1,,2", "0:4:2", "flamingo"])
def test_other_lists_are_refused(text):
    with pytest.raises(ValueError, match="^" + ("" if "," in text else text) + "$"):
        list(content.indices(text))


def test_unknown_class_names_are_refused():
    with pytest.raises(ConfigError, match="did you mean 'flamingo'"):
        list(content.indices("flmingo", names=True))


def test_class_tiles_have_number_and_name():
    (tile,) = content.of_classes(LITE0, [130], True).tiles
    assert tile == Tile("class-130", "130 flamingo", {"class": {"index": 130}})
    assert content.of_classes("mine", [3], False).tiles[0].name == "class 3"
