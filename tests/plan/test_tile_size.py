"""The size of views: from the memory per pixel, or from the rules of this machine."""

from __future__ import annotations

import json

import pytest

from kerasdream.errors import ConfigError, OutputError
from kerasdream.plan import tile_size as tuning
from kerasdream.plan.tile_size import BYTES, IN_FLIGHT, LARGEST, SMALLEST, Rule, largest_side, tile_side

OTHER = {"vgg16": {"size": 300, "bytes": 1234}}
"""A rule for another network, which must survive."""


def test_two_views_of_the_chosen_size_fit_into_memory(rules):
    for model, family in {"resnet101_v2": "resnet", "efficientnet_b3": "efficientnet_b", "vgg19": "vgg"}.items():
        side = tile_side(model, 500 * 2**20)
        assert IN_FLIGHT * BYTES[family] * side**2 <= 500 * 2**20 < IN_FLIGHT * BYTES[family] * (side + 1) ** 2
    assert tile_side("resnet50", 2**20) == SMALLEST
    assert tile_side("resnet50", 2**40) == LARGEST
    assert tile_side("somebodys", 10**9) == largest_side(10**9, tuning.USUAL_BYTES)
    assert tile_side("resnet50") == largest_side(min(tuning.MOST, tuning.total_memory() // 8), BYTES["resnet"])


def test_own_rule_takes_precedence(rules):
    rules({"resnet50": {"size": 333, "bytes": 2000}, "vgg16": {"size": 400}})
    assert tile_side("resnet50") == 333
    assert tile_side("resnet50", 10**9) == largest_side(10**9, 2000)  # explicit memory takes precedence over the size
    assert tile_side("vgg16") == 400
    assert tile_side("vgg16", 10**9) == largest_side(10**9, BYTES["vgg"])  # memory could not be measured
    assert tile_side("resnet101", 10**9) == largest_side(10**9, BYTES["resnet"])


def test_other_rules_are_kept(rules):
    assert tuning.read_rules() == {}
    path = rules(OTHER)
    assert tile_side("tiny") == tile_side("somebodys")
    tuning.save_rules({**tuning.read_rules(), "tiny": Rule(size=256)})
    assert json.loads(path.read_text()) == {**OTHER, "tiny": {"size": 256}}
    assert [file.name for file in path.parent.iterdir()] == ["tiles.json"]
    assert tile_side("tiny") == 256  # at once


def test_folder_that_cannot_be_created_is_an_error(rules, tmp_path):
    (tmp_path / "settings").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match=r"settings cannot be created \(.*\); set KERASDREAM_CONFIG to another"):
        tuning.save_rules({})


DAMAGED = {
    "": "Invalid JSON",
    '{"tiny": {"size": 256': "Invalid JSON",
    "[]": "Input should be an object",
    '{"tiny": 256}': "tiny: ",
    '{"tiny": {"size": "big"}}': "tiny.size: ",
    '{"tiny": {"size": 3}}': "tiny.size: Input should be greater than or equal to 32",
    '{"tiny": {"size": 256, "bytes": 0}}': "tiny.bytes: ",
    '{"tiny": {"sise": 256}}': "tiny.size: Field required",
}


@pytest.mark.parametrize("content", DAMAGED)
def test_damaged_rules_are_an_error_and_are_ignored(rules, content):
    path = rules(content)
    with pytest.raises(ConfigError) as caught:
        tuning.read_rules()
    message = str(caught.value)
    assert message.startswith(f"{path}, written by kerasdream tune, is damaged (")
    assert DAMAGED[content] in message
    assert message.endswith("; fix or delete it, and tune again")
    assert tile_side("tiny") == tile_side("somebodys")
