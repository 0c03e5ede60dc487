"""Overrides: ``-s key.path=value`` on the command line sets a single value of a run file."""

from __future__ import annotations

import copy
import os
from dataclasses import replace
from typing import Any

from kerasdream.config.document import KeyPath, YamlDocument, parse
from kerasdream.config.presets import KEY
from kerasdream.config.sections import SHORT
from kerasdream.errors import ConfigError, Place, Problem

TYPED_PATHS = {("image",), ("image", "source"), ("model", "file"), ("model", "weights")}
"""Settings that, on the command line, are relative to the working directory rather than to the run file."""


def override(document: YamlDocument, text: str) -> YamlDocument:
    """Return a run file with one value replaced, ``text`` being ``key.path=value``; the value is YAML.

    The given document and its data stay as they are.

    Raises:
        ConfigError: ``text`` is malformed, or there is nothing at that path to set.
    """
    place = Place(f"-s {text}")
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise _error(place, "expected KEY=VALUE, as in -s octaves.steps=5")
    path: KeyPath = tuple(int(part) if part.isdigit() else part for part in key.split("."))
    parsed = _parsed(place, key, value)
    if path in TYPED_PATHS and isinstance(parsed, str) and parsed not in ("noise", "imagenet"):
        parsed = os.path.abspath(os.path.expanduser(parsed))
    marks = {p: mark for p, mark in document.marks.items() if p[: len(path)] != path}
    data = copy.copy(document.data)
    inner: Any = data
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if last or (isinstance(inner, dict) and part not in inner):
            marks[path[: depth + 1]] = place
        if isinstance(inner, list) and isinstance(part, int) and part < len(inner):
            following = inner[part] = parsed if last else _opened(inner[part], path[depth + 1])
        elif isinstance(inner, dict) and isinstance(part, str):
            following = inner[part] = parsed if last else _opened(inner.get(part), path[depth + 1], SHORT.get(part))
        else:
            raise _error(place, f"{'.'.join(map(str, path[: depth + 1]))} does not exist, so it cannot be set")
        inner = following
    return YamlDocument(data, document.name, marks)


def names_preset(text: str) -> bool:
    """Whether an override names the preset: it is applied before all others, which change what the preset contains."""
    return text.partition("=")[0] == KEY


def key_of(text: str) -> str:
    """Return the top-level key in which an override sets something."""
    return text.partition("=")[0].partition(".")[0]


def _parsed(place: Place, key: str, value: str) -> Any:
    try:
        return parse(value, place.name).data
    except ConfigError as error:
        hint = f"; a value with special characters needs quotes: '{key}=\"...\"'"
        raise ConfigError.of([replace(problem, text=problem.text + hint) for problem in error.problems]) from None


def _error(place: Place, text: str) -> ConfigError:
    return ConfigError.of([Problem((), place, text)])


def _opened(value: Any, following: str | int, short: str | None = None) -> Any:
    """Return a copy of a value that an override changes the inside of, with shorthands written out."""
    if isinstance(value, str) and short:
        return {short: value}
    if isinstance(value, str) and value == following:
        return {value: {}}
    return copy.copy(value) if isinstance(value, (dict, list)) else {}
