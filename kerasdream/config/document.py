"""Read YAML into plain data, with the line and column of every value.

Scalars follow YAML 1.2: ``yes`` and ``12:30`` are strings, ``1e-4`` is a number. Tags and duplicate keys are errors,
and so is what no run file needs and something deep inside would fail on: very many values, nesting, endless texts.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kerasdream.errors import ConfigError, Place, Problem

MAX_VALUES = 20_000
"""More values than any run file has; aliases that expand to more are an attack or a mistake."""

MAX_SIZE = 1_000_000
"""Characters; more than any run file has."""

MAX_DEPTH = 50
"""More levels than any run file has."""

MAX_TEXT = 4096
"""Characters of the longest path of a file."""

MAX_DIGITS = 300
"""Digits of the largest number that a float can be."""

KeyPath = tuple[str | int, ...]
"""The keys and indices that lead to a value: ``("objectives", 0, "l2", "layer")``."""


@dataclass(frozen=True)
class YamlDocument:
    """Plain data and the place of each value in it.

    Attributes:
        name: the file, for error messages.
        folders: the folders that relative paths are relative to, of the files other than ``name`` that values are from.
    """

    data: Any
    name: str
    marks: Mapping[KeyPath, Place] = field(default_factory=dict)
    folders: Mapping[str, Path] = field(default_factory=dict)

    def where(self, path: Sequence[str | int]) -> Place:
        """Return the place of a value, or of the nearest value around it."""
        path = tuple(path)
        while path not in self.marks and path:
            path = path[:-1]
        return self.marks.get(path, Place(self.name))

    def folder(self, path: Sequence[str | int], base: Path) -> Path:
        """Return the folder that the value at a path is relative to: that of its own file, or else ``base``."""
        return self.folders.get(self.where(path).name, base)


class _Loader(yaml.SafeLoader):
    """PyYAML's loader with the scalars of YAML 1.2 (core schema)."""


_Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
        "-+.0123456789",
    ),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), ["" if c == "\0" else c for c in _first]
    )


def parse(text: str, name: str) -> YamlDocument:
    """Parse one YAML document.

    Raises:
        ConfigError: it is not valid YAML, or uses a feature that is not allowed here; lists every such place.
    """
    reader = _Reader(name)
    try:
        node = yaml.compose(text, Loader=_Loader)
        data = None if node is None else reader.read(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = reader.place(mark) if mark else Place(name)
        raise ConfigError.of([Problem((), place, f"invalid YAML: {error.problem or error.context}")]) from None
    except yaml.YAMLError as error:
        raise ConfigError.of([Problem((), Place(name), f"invalid YAML: {' '.join(str(error).split())}")]) from None
    except RecursionError:
        raise ConfigError.of([Problem((), Place(name), "nested too deeply for a run file")]) from None
    if reader.problems:
        raise ConfigError.of(reader.problems)
    return YamlDocument(data, name, reader.marks)


def read(path: Path) -> YamlDocument:
    """Read a YAML file.

    Raises:
        ConfigError: it is endless; see ``parse``.
        OSError, UnicodeDecodeError: it cannot be read.
    """
    with path.open(encoding="utf-8") as file:
        text = file.read(MAX_SIZE + 1)  # of a device, there is no end
    if len(text) > MAX_SIZE:
        raise ConfigError(f"{path} is not a run file: it has more than {MAX_SIZE:,} characters")
    return parse(text, str(path))


class _Reader:
    """Converts PyYAML's nodes to plain data, and notes the place of each."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.marks: dict[KeyPath, Place] = {}
        self.problems: list[Problem] = []
        self.count = 0

    def place(self, mark: yaml.Mark) -> Place:
        return Place(self.name, mark.line + 1, mark.column + 1)

    def read(self, node: yaml.Node, path: KeyPath) -> Any:
        place = self.place(node.start_mark)
        self.marks.setdefault(path, place)
        self.count += 1
        if self.count > MAX_VALUES:
            text = f"the aliases in this file expand to more than {MAX_VALUES} values; write them out"
            raise ConfigError.of([Problem((), place, text)])
        if len(path) > MAX_DEPTH:
            text = f"nested too deeply for a run file; expected at most {MAX_DEPTH} levels"
            raise ConfigError.of([Problem((), place, text)])
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind not in _KINDS[type(node)]:
            self.problem(path, place, f"the tag {_short(node.tag)} is not allowed; expected plain YAML values")
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return dict(self.pairs(node, path))
        if reason := _unreadable(node.value, kind):
            self.problem(path, place, reason)
            return None
        try:
            return _SCALARS[kind](node.value)
        except ValueError:
            self.problem(path, place, f"{node.value!r} does not match its tag {_short(node.tag)}")
            return None

    def pairs(self, node: yaml.MappingNode, path: KeyPath) -> Iterator[tuple[Any, Any]]:
        seen: dict[Any, Place] = {}
        for key_node, value_node in node.value:
            place = self.place(key_node.start_mark)
            key = self.read(key_node, (*path, _KEY))
            if isinstance(key, (list, dict)):
                self.problem(path, place, "expected a string as a key, not a list or a mapping")
                continue
            if key in seen:
                self.problem((*path, key), place, f"duplicate key, first at {seen[key]}; keep one of them")
                continue
            seen[key] = self.marks[(*path, key)] = place
            yield key, self.read(value_node, (*path, key))

    def problem(self, path: KeyPath, place: Place, text: str) -> None:
        self.problems.append(Problem(tuple(part for part in path if part != _KEY), place, text))


_KEY = "<key>"
"""Stands in a path for a mapping's key, which is a node of its own."""


def _unreadable(text: str, kind: str) -> str:
    """Return what is wrong with the characters of a scalar; nothing if they can be read."""
    if kind == "int" and len(text) > MAX_DIGITS:
        return f"expected a number of at most {MAX_DIGITS} digits, not {len(text):,}"
    if len(text) > MAX_TEXT:
        return f"expected at most {MAX_TEXT:,} characters, not {len(text):,}: {text[:20]}..."
    if "\0" in text:
        return f"has a null character, which no name can have: {text!r}"
    try:
        _str(text)
    except UnicodeDecodeError:
        return f"has half of a character (U+D800 to U+DFFF), which cannot be written: {text!r}"
    return ""


def _str(text: str) -> str:
    """Return a text with its surrogate pairs, in which JSON escapes an emoji, as the characters they stand for."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16")


def _int(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    return sign * int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _float(text: str) -> float:
    return float(text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf").replace(".nan", "nan"))


_SCALARS: Mapping[str, Any] = {
    "str": _str,
    "null": lambda text: None,
    "bool": lambda text: text.lower() == "true",
    "int": _int,
    "float": _float,
}


_KINDS: Mapping[type, Container[str]] = {
    yaml.ScalarNode: _SCALARS,
    yaml.SequenceNode: ("seq",),
    yaml.MappingNode: ("map",),
}


def _short(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!")
