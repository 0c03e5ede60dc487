"""Settings that are given and have no effect are noted, wherever they were given; those of presets are not."""

import json
from pathlib import Path

import pytest

from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.ineffective import REASONS
from kerasdream.config.recorded import Recorded
from kerasdream.config.resolve import resolve
from kerasdream.config.sections import SECTIONS


def notes(text, overrides=()):
    return resolve(parse(text, "f.yaml"), Path("."), overrides).notes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("image: {source: a.jpg, size: [64, 64]}", "f.yaml:1:24: image.size has no effect: it is for noise"),
        ("image: {source: noise, max_side: 500}", "f.yaml:1:24: image.max_side has no effect: noise has the size"),
        ("image: a.jpg\ncrops: {count: 2}", "f.yaml:2:9: crops.count has no effect: the network sees tiles"),
        (
            "image: a.jpg\nviews: crops\ntiles: {halo: 8}",
            "f.yaml:3:9: tiles.halo has no effect: the network sees crops",
        ),
        ("image: a.jpg\nframes: {zoom: 1.1}", "f.yaml:2:10: frames.zoom has no effect: there is a single picture"),
        ("image: a.jpg\noctaves: {count: 1, scale: 2}", "f.yaml:2:21: octaves.scale has no effect: there is a single"),
        ("image: a.jpg\noctaves: {count: 1, detail: false}", "f.yaml:2:21: octaves.detail has no effect: there is"),
        ("image: a.jpg\noctaves: {plateau_gain: 0.1}", "f.yaml:2:11: octaves.plateau_gain has no effect: octaves.pl"),
        ("image: a.jpg\ntiles: {size: 64, memory: 1GB}", "f.yaml:2:19: tiles.memory has no effect: tiles.size sets"),
    ],
)
def test_settings_without_effect_are_noted(text, expected):
    (note,) = notes(text)
    assert note.startswith(expected)


def test_jitter_that_was_given_is_noted_where_the_network_sees_crops():
    (note,) = notes("image: a.jpg\nviews: crops\ntransforms: [{jitter: 8}, flip]")
    assert note.startswith("f.yaml:3:15: transforms.0.jitter has no effect: the network sees crops")
    assert len(notes("image: a.jpg", ["views=crops", "transforms.0.jitter.pixels=8"])) == 1
    assert notes("image: a.jpg\nviews: crops") == notes("image: a.jpg\ntransforms: [{jitter: 8}]") == ()


def test_notes_are_of_what_the_user_gave():
    assert notes("image: a.jpg", ["frames.rotate=3"])[0].startswith("'frames.rotate=3': frames.rotate has no effect")
    assert notes("preset: zoom\nimage: a.jpg\nframes: {count: 1}") == ()  # the preset's zoom and rotation
    assert notes("image: {source: [a.jpg, noise], size: [64, 64], max_side: 64}\nframes: {count: 2, zoom: 2}") == ()
    recipe = json.loads(json.dumps(resolve(parse("image: a.jpg", "f.yaml"), Path(".")).data))
    assert resolve(YamlDocument(recipe, "recipe"), Path("."), recorded=Recorded(Path("a.png"))).notes == ()


def test_every_setting_in_the_table_exists():
    assert all(key in SECTIONS[section].model_fields for section, key in REASONS)
