"""YAML as run files use it: scalars of version 1.2, places of values, plain data only."""

import os
import re
import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasdream.config.document import parse, read
from kerasdream.errors import ConfigError

# PyYAML does not quote 0E0: a string in YAML 1.1, a number in 1.2.
text = st.text(st.characters(codec="utf-8", exclude_characters="\0")).filter(
    lambda one: not re.fullmatch(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+", one)
)
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
    max_leaves=20,
)


@settings(deadline=None, max_examples=40)
@given(plain)
def test_data_written_by_pyyaml_is_read_back(data):
    assert parse(yaml.safe_dump(data), "x").data == data


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"), ("on", "on"), ("true", True), ("12:30", "12:30"), ("010", 10), ("0o10", 8), ("0x1F", 31),
        ("1e-4", 1e-4), ("1.", 1.0), ("-.5", -0.5), ("+3", 3), ("2026-01-01", "2026-01-01"), ("~", None), ("", None),
        ("'1'", "1"), (".inf", float("inf")), ("1_000", "1_000"), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_scalars_are_those_of_yaml_1_2(text, value):
    read = parse(f"a: {text}", "x").data["a"]
    assert read == value
    assert type(read) is type(value)


def test_the_halves_of_a_character_are_joined_as_in_json():
    assert parse(r'a: "\ud83d\ude00.jpg"', "x").data == {"a": "\N{GRINNING FACE}.jpg"}


@pytest.mark.parametrize("name", ["/dev/zero", "/proc/kmsg", "pipe", "."])
def test_only_regular_files_are_opened(name, tmp_path):
    os.mkfifo(tmp_path / "pipe")  # to open it would wait for ever
    with pytest.raises(OSError, match=r"it is not a regular file|it is a folder"):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("#" * 11_000_000, "x is not a run file: it has more than 500,000 characters"),
        ("a: [" + "b," * 240_000, "x:1:39999: more values than any run file has; expected at most 20,000"),
        ("- " * 240_000, "x:1:103: nested too deeply"),
    ],
)
def test_a_text_without_end_is_refused_before_it_takes_memory_and_time(text, words):
    began = time.process_time()
    with pytest.raises(ConfigError, match=words):
        parse(text, "x")
    assert time.process_time() - began < 5


def test_a_tag_is_not_taken_at_its_word():
    """As int() and bool would: !!int '1_000' would be 1000 and !!bool maybe false."""
    for value in ("!!int '1_000'", "!!int '١'", "!!bool maybe", "!!null nothing", "!!float 0x1"):
        with pytest.raises(ConfigError, match="does not match its tag"):
            parse(f"a: {value}", "x")


def test_values_have_line_and_column():
    document = parse("a: 1\nb:\n  - c: 2\n    d: [x, y]\n", "f.yaml")
    assert str(document.where(("b", 0, "d"))) == "f.yaml:4:5"
    assert str(document.where(("b", 0, "d", 1))) == "f.yaml:4:12"
    assert str(document.where(("b", 0, "not", "there"))) == "f.yaml:3:5"


LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefghij", "bcdefghijk", strict=True)
)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: 1\nb: 2\na: 3", ["x:3:1: a: duplicate key", "first at x:1:1"]),
        ("a: {b: 1, b: 2}", ["x:1:11: a.b: duplicate key"]),
        ("a: !!python/object/apply:os.system [ls]", ["x:1:4", "not allowed"]),
        ("a: !mine 3", ["x:1:4: a: the tag !mine is not allowed"]),
        ("a: !!int three", ["x:1:4", "'three' does not match its tag !!int"]),
        ("a: [1", ["invalid YAML"]),
        ("a: 1\n---\nb: 2", ["invalid YAML"]),
        ("? [1]\n: 2", ["expected a string as a key"]),
        ("a: \x00", ["invalid YAML"]),
        (LAUGHS, ["expand to more than"]),
        ("a: &a [*a]", ["nested too deeply"]),
        ("[" * 5000, ["x"]),
        ("a: " + "[" * 60 + "]" * 60, ["x:1:54: nested too deeply", "at most 50 levels"]),
        ("a: " + "b" * 5000, ["x:1:4: a: expected at most 4,096 characters, not 5,000: bbbbb"]),
        ("a: " + "1" * 400, ["x:1:4: a: expected a number of at most 300 digits, not 400"]),
        (r'a: "\0.jpg"', ["x:1:4: a: has a null character"]),
        (r'a: "\uD83D.jpg"', ["x:1:4: a: has half of a character"]),
    ],
)
def test_invalid_yaml_is_reported_with_its_place(text, words):
    with pytest.raises(ConfigError) as caught:
        parse(text, "x")
    for word in words:
        assert word in str(caught.value)
