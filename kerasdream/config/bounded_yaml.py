"""PyYAML's loader with the scalars of YAML 1.2, and limits that hold while it reads.

A run file comes from anywhere: a friend, a website, a picture. What no run file needs, and something deep inside would
fail on or take minutes over, is refused here: very long texts, very many values, endless nesting, names and numbers.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from kerasdream._files import LONGEST_PATH
from kerasdream.errors import ConfigError

MAX_SIZE = 500_000
"""Characters; more than any run file has."""

MAX_VALUES = 20_000
"""More values than any run file has; aliases that expand to more are an attack or a mistake."""

MAX_DEPTH = 50
"""More levels than any run file has."""

MAX_TEXT = LONGEST_PATH + 1
"""Characters of a scalar; a path has no more."""

MAX_DIGITS = 300
"""Digits of the largest number that a float can be."""

PATTERNS = {
    "null": r"~|null|Null|NULL|",
    "bool": r"true|True|TRUE|false|False|FALSE",
    "int": r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+",
    "float": r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
}
"""Tag -> its scalars (core schema of YAML 1.2)."""

_FIRST = {"null": ["~", "n", "N", ""], "bool": [*"tTfF"], "int": [*"-+0123456789"], "float": [*"-+.0123456789"]}


class LimitError(yaml.MarkedYAMLError):
    """A text goes beyond a limit; ``problem`` says which."""


class _Loader(yaml.SafeLoader):
    """Counts the nodes, and the levels around the one that is read."""

    nodes = levels = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        self.nodes += 1
        self.levels += 1
        problem = ""
        if self.nodes > MAX_VALUES:
            problem = f"more values than any run file has; expected at most {MAX_VALUES:,}"
        elif self.levels > MAX_DEPTH + 1:
            problem = f"nested too deeply for a run file; expected at most {MAX_DEPTH} levels"
        if problem:
            event: Any = self.peek_event()  # type: ignore[no-untyped-call]
            raise LimitError(problem=problem, problem_mark=event.start_mark)
        node = super().compose_node(parent, index)
        self.levels -= 1
        return node


_Loader.yaml_implicit_resolvers = {}
for _kind, _pattern in PATTERNS.items():
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_kind}", re.compile(rf"^(?:{_pattern})$"), _FIRST[_kind])


def compose(text: str, name: str) -> Any:
    """Return the root node of a text, None if it is empty; its aliases are not written out.

    Args:
        name: the file, for error messages.

    Raises:
        ConfigError: it is longer than `MAX_SIZE`.
        LimitError, yaml.YAMLError: it has more values or levels than are allowed, or is not valid.
    """
    if len(text) > MAX_SIZE:
        raise ConfigError(f"{name} is not a run file: it has more than {MAX_SIZE:,} characters")
    loader = _Loader(text)
    try:
        return loader.get_single_node()
    finally:
        loader.dispose()


def unreadable(text: str, kind: str) -> str:
    """Return what is wrong with the characters of a scalar; nothing if they can be read.

    Args:
        kind: its tag, such as ``int``.
    """
    if kind == "int" and len(text) > MAX_DIGITS:
        return f"expected a number of at most {MAX_DIGITS} digits, not {len(text):,}"
    if len(text) > MAX_TEXT:
        return f"expected at most {MAX_TEXT:,} characters, not {len(text):,}: {text[:20]}..."
    if "\0" in text:
        return f"has a null character, which no name can have: {text!r}"
    if kind in PATTERNS and not re.fullmatch(PATTERNS[kind], text):
        return f"{text!r} does not match its tag !!{kind}"
    try:
        joined(text)
    except UnicodeDecodeError:
        return f"has half of a character (U+D800 to U+DFFF), which cannot be written: {text!r}"
    return ""


def joined(text: str) -> str:
    """Return a text with its surrogate pairs, in which JSON escapes an emoji, as the characters they stand for."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")
