"""Overrides: ``-s key.path=value`` sets a single value of a run file, ``-s key.path+=value`` appends to a list."""

from __future__ import annotations

import copy
import os
import re
import shlex
from collections.abc import Collection
from dataclasses import replace
from typing import Any, NamedTuple

from kerasdream.config.bounded_yaml import MAX_DEPTH
from kerasdream.config.document import KeyPath, YamlDocument, parse
from kerasdream.config.presets import KEY, is_file
from kerasdream.config.sections import FIRST, LISTS, PARTS, SHORT
from kerasdream.errors import ConfigError, Place, Problem, setting, shortened
from kerasdream.models import model_entry
from kerasdream.plugins.registry import SUM
from kerasdream.schedules import MARKS, SCHEDULES

TYPED_PATHS = {("image",), ("image", "source"), ("model", "file"), ("model", "weights"), ("model", "code"), (KEY,)}
"""Settings that, on the command line, are relative to the working directory rather than to the run file."""

_LISTS = {(key,): parts for key, parts in LISTS.items()}
_ENTRIES = {*_LISTS, ("parametrization",)}

CANNOT = "cannot be set"
NOT_THERE = f"does not exist, so it {CANNOT}"


class OverridePlace(Place):
    """The place of a value that an override sets; its name is the override's text."""

    __slots__ = ()

    def __str__(self) -> str:
        text = shortened(self.name, 200)
        return setting(f"-s {text}", repr(text))


class Override(NamedTuple):
    """An override, read.

    Attributes:
        value: what stands after the ``=``; YAML.
        appends: whether it is added to a list.
    """

    place: Place
    path: KeyPath
    value: str
    appends: bool

    @classmethod
    def read(cls, text: str) -> Override:
        """Read ``key.path=value`` or ``key.path+=value``.

        Raises:
            ConfigError: it is neither.
        """
        place = OverridePlace(text)
        key, equals, value = text.partition("=")
        appends, key = key.endswith("+"), key.removesuffix("+").strip()
        if not equals or not key:
            raise _error(place, f"expected KEY=VALUE, as in {typed('octaves.steps=5')}")
        if key.count(".") >= MAX_DEPTH:
            raise _error(place, f"expected at most {MAX_DEPTH} keys, not {key.count('.') + 1:,}")
        return cls(place, tuple(map(_index_or_key, key.split("."))), value, appends)

    @property
    def key(self) -> str:
        """The key as it was typed."""
        return ".".join(map(str, self.path))


def override(document: YamlDocument, text: str) -> YamlDocument:
    """Return a run file with one value replaced, ``text`` being ``key.path=value``, or a list with values added.

    The given document and its data stay as they are.

    Raises:
        ConfigError: ``text`` is malformed, or there is nothing at that path to set or to add to.
    """
    given = Override.read(text)
    value = _value(given)
    path = given.path
    marks = {p: m for p, m in document.marks.items() if p[: len(path)] != path or given.appends}
    data = copy.copy(document.data)
    inner: Any = data
    for depth, part in enumerate(path):
        here, following = path[: depth + 1], path[depth + 1] if depth + 1 < len(path) else None
        if following is None or (isinstance(inner, dict) and part not in inner):
            marks.setdefault(here, given.place)
        if not _holds(inner, part, path[:depth]):
            raise _error(given.place, f"{'.'.join(map(str, here))} {NOT_THERE}")
        before = inner.get(part) if isinstance(inner, dict) else inner[part]
        listed = isinstance(following, int) or (following is None and given.appends)
        if listed and here in _LISTS and isinstance(before, (dict, str, *_LISTS[here])):
            before, marks = [before], _moved(marks, here)  # an entry alone needs no list
        if following is not None:
            if not depth and part not in PARTS and not isinstance(before, (dict, list, str, type(None))):
                raise _error(given.place, f"{part} is {before}, so {given.key} {CANNOT}")
            inner[part] = _opened(before, path[:depth], part, following)
        elif given.appends:
            inner[part] = _extended(before, value, given, marks)
        else:
            inner[part] = value
        inner = inner[part]
    if path == ("model", "file"):  # instead of a named network
        data["model"].pop("name", None)
    return replace(document, data=data, marks=marks)


def typed(text: str) -> str:
    """Return an override as the user types it: as an option in a shell, as a string in Python."""
    return setting(f"-s {shlex.quote(text)}", repr(text))


def names_preset(text: str) -> bool:
    """Whether an override names the preset: it is applied before all others, which change what the preset contains."""
    return text.partition("=")[0] == KEY


def sets(text: str, keys: Collection[str]) -> bool:
    """Whether an override sets one of these keys of a run file, or something in it."""
    return re.split(r"[.+=]", text, maxsplit=1)[0] in keys


def _index_or_key(part: str) -> str | int:
    return int(part) if part.isascii() and part.isdigit() and len(part) < 10 else part


def _value(given: Override) -> Any:
    try:
        value = parse(given.value, str(given.place)).data
    except ConfigError as error:
        hint = f"; a value with special characters needs quotes: '{given.key}=\"...\"'"
        raise ConfigError.of([replace(problem, text=problem.text + hint) for problem in error.problems]) from None
    if given.path in TYPED_PATHS or _names_file(given.path, value):
        return [_path(item, given.path) for item in value] if isinstance(value, list) else _path(value, given.path)
    return value


def _names_file(path: KeyPath, value: Any) -> bool:
    """Whether a model is given as a file without the key ``file``."""
    return path in {("model",), ("model", "name")} and isinstance(value, str) and "file" in (model_entry(value) or {})


def _path(value: Any, path: KeyPath) -> Any:
    """Return a path that was typed on the command line relative to the working directory."""
    is_name = value in ("noise", "imagenet") or (path == (KEY,) and not is_file(str(value)))
    return value if is_name or not isinstance(value, str) else os.path.abspath(os.path.expanduser(value))


def _error(place: Place, text: str) -> ConfigError:
    return ConfigError.of([Problem((), place, text)])


def _holds(inner: Any, part: str | int, around: KeyPath) -> bool:
    """Whether a value can be set in ``inner``, which is at ``around``; an entry of a list holds its one name alone."""
    if isinstance(inner, list):
        return isinstance(part, int) and part < len(inner)
    is_entry = bool(around) and isinstance(around[-1], int)
    return isinstance(inner, dict) and isinstance(part, str) and (part in inner or not is_entry)


def _opened(value: Any, around: KeyPath, part: str | int, following: str | int) -> Any:
    """Return a copy of a value, ``part`` of what is at ``around``, with shorthands written out.

    Args:
        following: what an override changes in it.
    """
    if not around and part in SHORT and isinstance(value, (str, list)) and isinstance(following, str):
        return {SHORT[str(part)]: value}
    if isinstance(value, str) and (value == following or isinstance(part, int)):
        return {value: {}}
    if part == SUM and isinstance(value, list) and isinstance(following, str):
        return {"of": value}
    in_entry = isinstance(part, str) and bool(around) and (isinstance(around[-1], int) or around in _ENTRIES)
    if in_entry and _is_first_parameter(value, following):
        return {FIRST: value}
    return copy.copy(value) if isinstance(value, (dict, list)) else {}


def _is_first_parameter(value: Any, following: str | int) -> bool:
    """Whether an entry's value is that of its first parameter alone, and an override sets another one."""
    if isinstance(value, dict):  # a schedule, or parameters
        return bool(MARKS & value.keys()) and not any(following in keys for keys in SCHEDULES.values())
    return value is not None and not isinstance(value, list)


def _extended(before: Any, value: Any, given: Override, marks: dict[KeyPath, Place]) -> list[Any]:
    """Return a list with a value, or each of a list of values, added; note the place of the new ones."""
    if before is not None and not isinstance(before, list):
        way = typed(f"{given.key}=VALUE")
        raise _error(given.place, f"{given.key} is not a list, so nothing can be added; set it: {way}")
    items = before or []
    added = value if isinstance(value, list) else [value]
    marks.update({(*given.path, len(items) + i): given.place for i in range(len(added))})
    return [*items, *added]


def _moved(marks: dict[KeyPath, Place], at: KeyPath) -> dict[KeyPath, Place]:
    """Return the marks after the one entry at a path has become the first of a list."""
    inside = len(at)
    return {(*p[:inside], 0, *p[inside:]) if p[:inside] == at and len(p) > inside else p: m for p, m in marks.items()}
