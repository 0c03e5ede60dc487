"""Errors of a run file as objects: their paths, places and order."""

from pathlib import Path

import pytest

from kerasdream.config.document import parse
from kerasdream.config.messages import Errors
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError, Place, Problem


def test_errors_are_sorted_by_place_and_those_without_a_line_come_last():
    document = parse("a: 1\nb: {c: 2}\n", "f.yaml")
    errors = Errors(document, [Problem(("b",), Place("-s b=3"), "is odd")])
    errors.add(("b", "c"), "is even")
    errors.add(("a",), "is one")
    with pytest.raises(ConfigError) as caught:
        errors.raise_if_any()
    assert str(caught.value).splitlines() == ["f.yaml:1:1: a: is one", "f.yaml:2:5: b.c: is even", "-s b=3: b: is odd"]
    assert [problem.path for problem in caught.value.problems] == [("a",), ("b", "c"), ("b",)]


def test_without_errors_nothing_is_raised():
    Errors(parse("a: 1", "f.yaml")).raise_if_any()


def test_every_kind_of_config_error_has_its_path_and_place():
    text = (
        "image: photo.jpg\nobjectives:\n  - class: {name: gold}\n  - l2: {layer: nowhere}\n"
        "octaves: {count: 2}\nascent: [rate: {each: [1]}]\n"
    )
    with pytest.raises(ConfigError) as caught:
        resolve(parse(text, "f.yaml"), Path("."), ["seed", "frames.count=0", "tiles.size=[3"])
    found = [(problem.path, problem.place) for problem in caught.value.problems]
    assert found == [
        ((), Place("'tiles.size=[3'", 1, 3)),
        (("objectives", 0, "class", "name"), Place("f.yaml", 3, 13)),
        (("objectives", 1, "l2", "layer"), Place("f.yaml", 4, 10)),
        (("ascent", 0, "rate", "value", "each"), Place("f.yaml", 6, 10)),
        ((), Place("seed")),
        (("frames", "count"), Place("frames.count=0")),
    ]


def test_error_that_a_part_raises_itself_is_at_its_entry(tmp_path):
    text = "image: photo.jpg\nsead: 1\nobjectives:\n  - channel: {layer: stem, channel: []}\nviews: no\n"
    with pytest.raises(ConfigError) as caught:
        resolve(parse(text, "f.yaml"), tmp_path)
    assert [problem.place.line for problem in caught.value.problems] == [2, 4, 5]
