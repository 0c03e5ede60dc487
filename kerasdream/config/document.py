"""Reading YAML so that every value knows its line, and nothing but plain data comes out.

YAML 1.2 scalars (``yes`` is a word, ``1e-4`` a number, ``12:30`` a word), no tags, no duplicate keys, and a bound on
what aliases may expand to.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import yaml

from kerasdream.errors import ConfigError

MAX_VALUES = 20_000
"""More values than any run file has; aliases that expand to more are an attack or a mistake."""

Path = tuple[str | int, ...]


@dataclass
class Document:
    """Plain data, and where each value of it stands."""

    data: Any
    name: str
    marks: dict[Path, str] = field(default_factory=dict)

    def where(self, path: Sequence[str | int]) -> str:
        """Returns ``file:line:column`` of a value, or of the nearest value around it."""
        path = tuple(path)
        while path not in self.marks and path:
            path = path[:-1]
        return self.marks.get(path, self.name)


class _Loader(yaml.SafeLoader):
    """PyYAML's reader with the scalars of YAML 1.2 (core schema)."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {}


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


def parse(text: str, name: str) -> Document:
    """Parses one YAML document.

    Raises:
        ConfigError: it is not YAML, or uses what is not allowed here; every such place is named.
    """
    try:
        node = yaml.compose(text, Loader=_Loader)
        document = Document(None, name)
        if node is not None:
            reader = _Reader(document)
            document.data = reader.read(node, ())
            if reader.faults:
                raise ConfigError("\n".join(reader.faults))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
        raise ConfigError(f"{where}: this is not YAML: {error.problem or error.context}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: this is not YAML: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise ConfigError(f"{name}: nested too deeply to be a run file") from None
    return document


class _Reader:
    """From PyYAML's nodes to plain data."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.faults: list[str] = []
        self.count = 0

    def read(self, node: yaml.Node, path: Path) -> Any:
        name, mark = self.document.name, node.start_mark
        where = f"{name}:{mark.line + 1}:{mark.column + 1}"
        self.document.marks.setdefault(path, where)
        self.count += 1
        if self.count > MAX_VALUES:
            raise ConfigError(
                f"{where}: the aliases of this file expand to more than {MAX_VALUES} values; write them out"
            )
        kind = node.tag.removeprefix("tag:yaml.org,2002:")
        if kind not in _KINDS[type(node)]:
            self.faults.append(
                f"{where}: {_dotted(path)}the tag {_short(node.tag)} is not allowed; expected plain YAML values"
            )
            return None
        if isinstance(node, yaml.SequenceNode):
            return [self.read(item, (*path, i)) for i, item in enumerate(node.value)]
        if isinstance(node, yaml.MappingNode):
            return dict(self.pairs(node, path))
        try:
            return _SCALARS[kind](node.value)
        except ValueError:
            self.faults.append(
                f"{where}: {_dotted(path)}{node.value!r} is not of the type its tag {_short(node.tag)} says"
            )
            return None

    def pairs(self, node: yaml.MappingNode, path: Path) -> Iterator[tuple[Any, Any]]:
        seen: dict[Any, str] = {}
        for key_node, value_node in node.value:
            mark = key_node.start_mark
            where = f"{self.document.name}:{mark.line + 1}:{mark.column + 1}"
            key = self.read(key_node, (*path, "<key>"))
            if isinstance(key, (list, dict)):
                self.faults.append(f"{where}: {_dotted(path)}a key must be a word, not a list or mapping")
                continue
            if key in seen:
                self.faults.append(
                    f"{where}: {_dotted((*path, key))}duplicate key, first at {seen[key]}; keep one of them"
                )
                continue
            seen[key] = where
            self.document.marks[(*path, key)] = where
            yield key, self.read(value_node, (*path, key))


def _int(text: str) -> int:
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    return sign * int(text, {"0o": 8, "0x": 16}.get(text[:2], 10))


def _float(text: str) -> float:
    return float(text.replace(".inf", "inf").replace(".Inf", "inf").replace(".INF", "inf").replace(".nan", "nan"))


_SCALARS: Mapping[str, Any] = {
    "str": str,
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


def _dotted(path: Path) -> str:
    text = ".".join(str(part) for part in path if part != "<key>")
    return f"{text}: " if text else ""
