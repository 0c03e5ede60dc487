"""Run files made at random from the JSON Schema: mostly what it asks for, and here and there what nobody asks for."""

from __future__ import annotations

import json
from functools import cache

import yaml
from hypothesis import strategies as st

from kerasdream.config.schema import json_schema
from kerasdream.plugins.manager import discover

SCHEMA = json_schema(discover(installed=False).registry)

NAMES = (
    "photo.png", "mask.png", "noise", "pipe", "zero.png", "zero.npy", "pipe.h5", "folder", "", ".", "..", "/", "~",
    "*", "**", "/**/*.png", "[", "/dev/zero", "/dev/stdin", "/proc/self/mem", "~nobody-of-this-name/a.png",
    "a/" * 2100, "a" * 300, "\0.png", "\ud800.png", "\x1b[31m.png", "\u202egnp.a", "a\nb", "{stem}", "{frame}",
    "{a}", "{", "1e999", "0x" + "f" * 290, "1_000", "12:30", "99999999999GB", "500MB", "auto", "block5_expand", "=",
    "<<", "é" * 200, "😀" * 3000, "photo.keras",
)  # fmt: skip
NUMBERS = (
    0, -1, 2**31, 2**32, 2**64, 10**299, -(10**299), 65536, 100_000, 1e308, 1e-320, -0.0, float("inf"),
    float("-inf"), float("nan"),
)  # fmt: skip

hostile = st.recursive(
    st.sampled_from(NAMES) | st.sampled_from(NUMBERS) | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=8,
)


def value_of(schema):
    """Return a strategy for the values of a schema; one in ten is hostile."""
    return st.integers(0, 9).flatmap(lambda die: hostile if die == 0 else _valid(json.dumps(schema)))


@cache
def _valid(text):
    schema = json.loads(text)
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return st.deferred(lambda: value_of(SCHEMA["$defs"][name]))
    if "const" in schema or "enum" in schema:
        return st.sampled_from(schema.get("enum") or [schema["const"]])
    for several in ("anyOf", "oneOf"):
        if several in schema and "properties" not in schema:
            return st.one_of([st.deferred(lambda one=one: value_of(one)) for one in schema[several]])
    kind = schema.get("type")
    if kind == "object":
        return _mapping(schema)
    if kind == "array":
        items = [value_of(item) for item in schema.get("prefixItems", ())]
        least = schema.get("minItems", 0)
        return (
            st.tuples(*items).map(list)
            if items
            else st.lists(st.deferred(lambda: value_of(schema.get("items", {}))), min_size=least, max_size=least + 2)
        )
    if kind in ("integer", "number"):
        return _number(schema, kind)
    return {"boolean": st.booleans(), "null": st.none(), "string": st.sampled_from(NAMES)}.get(kind, hostile)


def _number(schema, kind):
    low = schema.get("minimum", schema.get("exclusiveMinimum", -1000))
    high = min(schema.get("maximum", schema.get("exclusiveMaximum", low + 10_000)), low + 10**7)
    if kind == "number":
        return st.floats(low, high) | st.sampled_from(NUMBERS)
    return st.integers(int(low), int(high)) | st.sampled_from(NUMBERS)


def _mapping(schema):
    """A mapping with what is required and up to three keys more; one in ten has a key that does not exist."""
    known, required = schema.get("properties", {}), set(schema.get("required", ()))
    names = st.lists(st.sampled_from(sorted(known) or [""]), max_size=3, unique=True)
    strange = st.integers(0, 9).flatmap(lambda die: st.sampled_from(NAMES) if die == 0 else st.none())

    def chosen(names, strange):
        keys = {key: st.deferred(lambda key=key: value_of(known.get(key, {}))) for key in sorted({*names, *required})}
        return st.fixed_dictionaries(keys if strange is None else {**keys, strange: hostile})

    return st.builds(chosen, names, strange).flatmap(lambda made: made)


def as_text(value, style):
    """Write a run file as JSON or as YAML, in blocks or on one line."""
    if style == "json":
        return json.dumps(value)
    try:
        return yaml.safe_dump(value, default_flow_style=style == "flow", allow_unicode=True)
    except yaml.YAMLError:
        return json.dumps(value)


def broken(text, places, pieces):
    """Return a text with pieces put in at places, each a share of its length; or cut off there."""
    for place, piece in zip(places, pieces, strict=False):
        at = round(place * len(text))
        text = text[:at] if piece is None else text[:at] + piece + text[at:]
    return text


PIECES = (
    None, "\0", "\x1b[31m", "\t", "\n", "- ", "[" * 600, "{a: " * 60, "&a [*a]", "*b", "!!python/object:os.system ",
    "!!int ", "|\n", "? ", "9" * 5000, "a" * 300, "#" * 5000, "---\n", "\ufeff", "\ud800", "'", '"', "%",
    "a,\n" * 21_000, "x" * 500_001,
)  # fmt: skip

texts = st.builds(
    broken,
    st.builds(
        as_text,
        st.deferred(lambda: value_of({**SCHEMA, "required": ["image"]})),
        st.sampled_from(["json", "flow", "block"]),
    ),
    st.lists(st.floats(0, 1), max_size=2),
    st.lists(st.sampled_from(PIECES), min_size=2, max_size=2),
)
"""Run files."""

sums = st.dictionaries(st.sampled_from(NAMES), st.sampled_from(["{photo}", "0" * 64, "", 1]), max_size=4)
facts = st.fixed_dictionaries(
    {"name": st.sampled_from(NAMES)}, optional={"sha256": st.sampled_from(["{photo}", "0" * 64])}
)
manifests = st.builds(
    broken,
    st.fixed_dictionaries(
        {"recipe": value_of({**SCHEMA, "required": ["image"]}), "source": facts | hostile, "files": sums | hostile},
        optional={"plugins": sums | hostile, "kerasdream": hostile},
    ).map(json.dumps),
    st.lists(st.floats(0, 1), max_size=1),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=1),
)
"""Recipes inside pictures; ``{photo}`` stands for the checksum of the photo."""

KEYS = (*SCHEMA["properties"], "0", "l2", "layer", "a" * 300, "\x1b[31m", "")

overrides = st.builds(
    "{}{}={}".format,
    st.lists(st.sampled_from(KEYS), min_size=1, max_size=60).map(".".join),
    st.sampled_from(["", "+"]),
    st.sampled_from(NAMES) | st.sampled_from(NUMBERS) | st.sampled_from([piece for piece in PIECES if piece]),
)
"""What stands after ``-s``."""
