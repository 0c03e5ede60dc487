"""Read YAML into plain data, with the line and column of every value.

Scalars follow YAML 1.2: ``yes`` and ``12:30`` are strings, ``1e-4`` is a number. Tags and duplicate keys are errors,
and so is what goes beyond the limits of ``bounded_yaml``.
"""

from __future__ import annotations

import io
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from kerasdream._files import open_regular
from kerasdream.config.bounded_yaml import MAX_DEPTH, MAX_SIZE, MAX_VALUES, LimitError, compose, joined, unreadable
from kerasdream.errors import ConfigError, Place, Problem

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


def parse(text: str, name: str) -> YamlDocument:
    """Parse one YAML document.

    Raises:
        ConfigError: it is not valid YAML, or uses a feature that is not allowed here; lists every such place.
    """
    reader = _Reader(name)
    try:
        node = compose(text, name)
        data = None if node is None else reader.read(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = reader.place(mark) if mark else Place(name)
        wrong = str(error.problem or error.context)
        wrong = wrong if isinstance(error, LimitError) else f"invalid YAML: {wrong}"
        raise ConfigError.of([Problem((), place, wrong)]) from None
    except yaml.YAMLError as error:
        raise ConfigError.of([Problem((), Place(name), f"invalid YAML: {' '.join(str(error).split())}")]) from None
    if reader.problems:
        raise ConfigError.of(reader.problems)
    return YamlDocument(data, name, reader.marks)


def read(path: Path) -> YamlDocument:
    """Read a YAML file.

    Raises:
        ConfigError: see ``parse``.
        OSError, UnicodeDecodeError: it is not a regular file, or cannot be read.
    """
    with open_regular(path) as file, io.TextIOWrapper(file, encoding="utf-8") as text:
        return parse(text.read(MAX_SIZE + 1), str(path))


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
            text = f"the aliases in this file expand to more than {MAX_VALUES:,} values; write them out"
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
        if reason := unreadable(node.value, kind):
            self.problem(path, place, reason)
            return None
        return _SCALARS[kind](node.value)

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


def _int(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    return sign * int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _float(text: str) -> float:
    return float(text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf").replace(".nan", "nan"))


_SCALARS: Mapping[str, Any] = {
    "str": joined,
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
