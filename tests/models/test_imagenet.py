"""The names of the ImageNet classes, and ``kerasdream classes``."""

from __future__ import annotations

import pytest

from kerasdream.errors import ConfigError
from kerasdream.models import imagenet


def test_every_class_has_its_imagenet_name():
    names = imagenet.classes()
    assert len(names) == imagenet.COUNT
    known = {0: "tench", 130: "flamingo", 207: "golden retriever", 285: "Egyptian cat", 340: "zebra"}
    known |= {482: "cassette player", 701: "parachute", 967: "espresso", 999: "toilet tissue"}
    assert {index: names[index][0] for index in known} == known
    assert all(name for each in names for name in each)


def test_any_name_of_a_class_in_any_case_finds_it():
    for name, index in {
        "FLAMINGO": 130,
        "egyptian_cat": 285,
        "toilet paper": 999,
        "tank suit": 639,
        "missile": 657,  # the usual name of this one, another name of 744
    }.items():
        assert imagenet.index_of(name) == index
    for name, words in {
        "crane": "index of one of the classes with this name (134: crane; 517: crane)",
        "maillot": "(638: maillot; 639: maillot, tank suit)",
        "panther": "286: cougar",
        "flamigno": "did you mean 'flamingo'",
        "xyzzy": "kerasdream classes lists them",
    }.items():
        with pytest.raises(ConfigError) as error:
            imagenet.index_of(name)
        assert words in str(error.value)


def test_the_command_lists_and_searches_classes(here):
    code, out, err = here("classes")
    assert (code, len(out.splitlines()), err) == (0, 1000, "")
    code, out, err = here("classes", "Flaming")
    assert (code, out, err) == (0, "130  flamingo\n", "")
    code, out, err = here("classes", "crane")
    assert [line[:3] for line in out.splitlines()] == ["134", "517"]
    code, out, err = here("classes", "flamigno")
    assert (code, out) == (1, "")
    assert "did you mean 'flamingo'" in err
