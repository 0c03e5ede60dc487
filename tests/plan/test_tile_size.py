"""``kerasdream tune`` and the rule it writes: measured, chosen, kept beside others, used by every run."""

from __future__ import annotations

import json

import pytest

from kerasdream.cli.plan import describe
from kerasdream.config.resolve import load
from kerasdream.errors import ConfigError, OutputError
from kerasdream.plan import tile_size as tuning
from kerasdream.plan.tile_size import BYTES, IN_FLIGHT, LARGEST, SMALLEST, Rule, largest_side, tile_side
from kerasdream.session.session import Session

OTHER = {"vgg16": {"size": 300, "bytes": 1234}}
"""Somebody's rule for another network."""

RUN = """\
image: photo.png
model: {file: tiny.keras, input_range: [-1, 1]}
objectives: {l2: c2}
octaves: {count: 1, steps: 1}
"""


# The rule


def test_as_large_as_two_fit_into_memory(rules):
    for model, family in {"resnet101_v2": "resnet", "efficientnet_b3": "efficientnet_b", "vgg19": "vgg"}.items():
        side = tile_side(model, 500 * 2**20)
        assert IN_FLIGHT * BYTES[family] * side**2 <= 500 * 2**20 < IN_FLIGHT * BYTES[family] * (side + 1) ** 2
    assert tile_side("resnet50", 2**20) == SMALLEST
    assert tile_side("resnet50", 2**40) == LARGEST
    assert tile_side("somebodys", 10**9) == largest_side(10**9, tuning.USUAL_BYTES)
    assert tile_side("resnet50") == largest_side(min(tuning.MOST, tuning.total_memory() // 8), BYTES["resnet"])


def test_the_users_own_rule_comes_first(rules):
    rules({"resnet50": {"size": 333, "bytes": 2000}, "vgg16": {"size": 400}})
    assert tile_side("resnet50") == 333
    assert tile_side("resnet50", 10**9) == largest_side(10**9, 2000)  # memory that is asked for counts for more
    assert tile_side("vgg16") == 400
    assert tile_side("vgg16", 10**9) == largest_side(10**9, BYTES["vgg"])  # memory could not be measured
    assert tile_side("resnet101", 10**9) == largest_side(10**9, BYTES["resnet"])


def test_rules_are_kept_beside_others(rules):
    assert tuning.read_rules() == {}
    path = rules(OTHER)
    assert tile_side("tiny") == tile_side("somebodys")
    tuning.save_rules({**tuning.read_rules(), "tiny": Rule(size=256)})
    assert json.loads(path.read_text()) == {**OTHER, "tiny": {"size": 256}}
    assert [file.name for file in path.parent.iterdir()] == ["tiles.json"]
    assert tile_side("tiny") == 256  # at once


def test_rules_that_cannot_be_written(rules, tmp_path):
    (tmp_path / "settings").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match=r"settings cannot be created \(.*\); name another with KERASDREAM_CONFIG"):
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
    assert message.startswith(f"{path}, which kerasdream tune wrote, is damaged (")
    assert DAMAGED[content] in message
    assert message.endswith("; delete it or put it right, and tune again")
    assert tile_side("tiny") == tile_side("somebodys")


# Plans and runs


@pytest.fixture
def run_file(folder):
    (folder / "run.yaml").write_text(RUN)
    return folder / "run.yaml"


def test_a_plan_without_tensorflow_and_a_run_use_the_same_rule(rules, run_file):
    """A network from a file is known by the file's name."""
    rules({"tiny": {"size": 40}, "file": {"size": 640}})
    config = load(run_file)
    assert Session(config).step.cutting.size == 40
    assert next(describe(config))["octaves"][0]["tiles"] > 1
    rules({"tiny": {"size": 640}, "file": {"size": 40}})
    assert Session(config).step.cutting.size == 640
    assert next(describe(config))["octaves"][0]["tiles"] == 1
    rules({"tiny": {"size": 40}})
    assert Session(load(run_file, ["tiles.size=64"])).step.cutting.size == 64
    memory_given = Session(load(run_file, ["tiles.memory=500MB"])).step.cutting.size
    assert memory_given == largest_side(500 * 2**20, tuning.USUAL_BYTES)


def test_a_plan_of_a_named_network_uses_the_rule(rules, run_file, here):
    (run_file.parent / "named.yaml").write_text("image: {source: noise, size: [512, 512]}\noctaves: {count: 1}\n")
    tiles = []
    for size in (192, 640):
        rules({"efficientnet_lite0": {"size": size}})
        tiles.append(json.loads(here("plan", run_file.parent / "named.yaml", "--json")[1])[0]["octaves"][0]["tiles"])
    assert tiles[0] > 4 * tiles[1]


def test_what_is_found_stands_in_the_recipe(rules, run_file):
    rules({"tiny": {"size": 40}})
    config = load(run_file)
    session = Session(config)
    result = session.dream(session.picture(str(run_file.parent / "photo.png")))
    assert config.tiles.size == "auto"
    assert result.manifest["recipe"]["tiles"]["size"] == 40
    assert result.notes == ()


def test_plan_and_run_note_a_damaged_file(rules, run_file, here):
    path = rules("{")
    note = f"{path}, which kerasdream tune wrote, is damaged"
    code, out, _ = here("plan", run_file)
    assert code == 0
    assert f"  note: {note}" in out
    assert "; until then the shipped sizes of tiles are used" in out
    assert "damaged" not in here("plan", run_file, "-s", "tiles.size=64")[1]
    session = Session(load(run_file))
    result = session.dream(session.picture(str(run_file.parent / "photo.png")))
    assert [text for text in result.notes if text.startswith(note)]
