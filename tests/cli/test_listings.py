"""The commands that list and print."""

from __future__ import annotations

import json
import re

import pytest

from kerasdream.cli import listings
from kerasdream.config.presets import names
from kerasdream.plugins.registry import KINDS


def test_list_describes_a_part(here):
    code, out, err = here("list", "objectives", "channel")
    assert (code, err) == (0, "")
    assert out.startswith("channel: Raise the mean activation of some channels")
    for line in (
        "  layer: layer name or {network: layer name}, required",
        "      the layer the channels belong to.",
        "  channel: whole number ≥ 0 or list of whole number ≥ 0 or strongest or weakest or random, required",
        "  weight: number or a schedule, default 1.0",
    ):
        assert line in out.splitlines()
    assert re.search(r"^From plugin kerasdream \(built in\), \S+channel\.py:\d+$", out, re.MULTILINE)
    assert here("list", "objective", "channel")[1] == out  # the singular will do


def test_list_describes_a_parameter_that_names_pictures(here):
    out = here("list", "objective", "guide")[1]
    assert "  image: picture, folder, pattern or a list of them, required" in out.splitlines()


def test_list_as_json(here):
    row = json.loads(here("list", "priors", "gaussian_blur", "--json")[1])
    assert (row["kind"], row["name"], row["plugin"], row["origin"]) == (
        "priors",
        "gaussian_blur",
        "kerasdream",
        "built in",
    )
    assert row["parameters"] == [
        {
            "name": "sigma",
            "type": "number ≥ 0 or a schedule",
            "required": False,
            "default": 0.5,
            "help": "standard deviation in pixels of the octave.",
        }
    ]
    rows = json.loads(here("list", "--json")[1])
    assert {row["kind"] for row in rows} == set(KINDS)
    assert row in rows
    assert json.loads(here("list", "priors", "--json")[1]) == [row for row in rows if row["kind"] == "priors"]
    for one in rows:
        assert all(parameter["help"] and parameter["type"] for parameter in one["parameters"]), one
        assert not {"object", "anything"} & {parameter["type"] for parameter in one["parameters"]}, one


def test_layers_of_a_network_and_of_a_file(here, tmp_path, tiny):
    code, out, _ = here("layers", "inception_v3")
    assert code == 0
    assert out.splitlines()[0].split() == ["layer", "channels", "stride", "suits"]
    assert ["mixed5", "768", "16", "dreams", "(default)"] in [line.split() for line in out.splitlines()]
    for ending in ("keras", "h5"):
        tiny.save(tmp_path / f"tiny.{ending}")
        code, out, _ = here("layers", tmp_path / f"tiny.{ending}")
        assert code == 0
        assert [line.split()[0] for line in out.splitlines()[1:]] == ["c1", "b1", "r1", "c2", "r2", "c3"]


def test_layers_without_positions_suit_crops(here):
    rows = [line.split() for line in here("layers", "efficientnet_b0")[1].splitlines()]
    assert ["block1a_se_squeeze", "32", "crops"] in rows
    assert ["block6c_activation", "1152", "32", "dreams", "(default)"] in rows


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("list objektives", "unknown kind 'objektives'; did you mean 'objectives'"),
        ("list objectives chanel", "unknown objective 'chanel'; did you mean 'channel'"),
        ("layers ResNet-50", "no layer table for 'ResNet-50'; did you mean 'resnet50'? (all networks"),
        ("layers inception_v4", "no layer table for 'inception_v4'; did you mean 'inception_v3'"),
        ("classes flmingo", "no class has 'flmingo' in its name"),
        ("presets google-2051", "did you mean 'google-2015'"),
        ("new-plugin sparkle --kind objektive", "unknown kind 'objektive'; did you mean 'objective'"),
        ("show nothing.png", "nothing.png: there is no such file"),
    ],
)
def test_unknown_names_suggest_the_nearest(here, arguments, words):
    code, out, err = here(*arguments.split())
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith("kerasdream: ")
    assert words in line


def test_layers_of_a_file_that_is_not_a_model(here, tmp_path):
    (tmp_path / "broken.keras").write_bytes(b"no zip")
    code, out, err = here("layers", tmp_path / "broken.keras")
    assert (code, out) == (1, "")
    assert "broken.keras is not a file that Keras saved, or only a part of one" in err


def test_classes_are_found_by_a_part_of_their_name(here):
    assert here("classes", "flamingo") == (0, "130  flamingo\n", "")
    assert len(here("classes")[1].splitlines()) == 1000


def test_presets_are_listed_and_printed(here):
    code, out, _ = here("presets")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(names())
    text = here("presets", "google-2015")[1]
    assert "objectives:" in text
    row = json.loads(here("presets", "google-2015", "--json")[1])
    assert row["name"] == "google-2015"
    assert row["text"].rstrip() == text.rstrip()


def test_schema_is_json(here):
    code, out, err = here("schema")
    assert (code, err) == (0, "")
    assert "objectives" in json.loads(out)["properties"]


def test_new_plugin_prints_its_files_and_the_next_step(here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = here("new-plugin", "glow", "--kind", "postprocess")
    assert code == 0
    assert all((tmp_path / line).is_file() for line in out.splitlines())
    assert any(line.endswith("setup.cfg") for line in out.splitlines())
    assert err.strip() == 'Next: cd kerasdream-glow; pip install -e ".[test]"; pytest'


def test_every_listing_is_a_command(here):
    for command in listings.COMMANDS:
        assert here(command.name, "--help")[0] == 0
