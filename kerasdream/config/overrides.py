"""``-s key.path=value`` on the command line: single values of a run file, set from outside."""

from __future__ import annotations

import copy
import os
from typing import Any

from kerasdream.config import document as source
from kerasdream.config.presets import KEY
from kerasdream.config.run_config import SHORT
from kerasdream.errors import ConfigError

TYPED_PATHS = {("image",), ("image", "source"), ("model", "file"), ("model", "weights")}
"""Paths that, typed on the command line, are relative to the present folder rather than to the run file."""


def override(document: source.Document, text: str) -> str | None:
    """Sets one ``key.path=value`` in a run file, and where it stands; returns the fault, if there is one.

    The document's data are replaced down to the value, so that what they were made of stays as it is.
    """
    key, equals, value = text.partition("=")
    if not equals or not key:
        return f"-s {text}: expected KEY=VALUE, as in -s octaves.steps=5"
    try:
        parsed = source.parse(value, f"-s {text}").data
    except ConfigError as error:
        return f"{error}; a text with special characters needs quotes: '{key}=\"...\"'"
    path: tuple[str | int, ...] = tuple(int(p) if p.isdigit() else p for p in key.split("."))
    if path in TYPED_PATHS and isinstance(parsed, str) and parsed not in ("noise", "imagenet"):
        parsed = os.path.abspath(os.path.expanduser(parsed))
    document.marks = {p: w for p, w in document.marks.items() if p[: len(path)] != path}
    place: Any = document.data
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if last or (isinstance(place, dict) and part not in place):
            document.marks[path[: depth + 1]] = f"-s {text}"
        if isinstance(place, list) and isinstance(part, int) and part < len(place):
            following = place[part] = parsed if last else _opened(place[part], path[depth + 1])
        elif isinstance(place, dict) and isinstance(part, str):
            following = place[part] = parsed if last else _opened(place.get(part), path[depth + 1], SHORT.get(part))
        else:
            return f"-s {text}: there is no {'.'.join(map(str, path[: depth + 1]))} to set"
        place = following
    return None


def names_preset(text: str) -> bool:
    """Whether an override names the preset: it goes before all others, which change what is in it."""
    return text.partition("=")[0] == KEY


def _opened(value: Any, following: str | int, short: str | None = None) -> Any:
    """A copy of a value that an override goes into, shorthands written out."""
    if isinstance(value, str) and short:
        return {short: value}
    if isinstance(value, str) and value == following:
        return {value: {}}
    return copy.copy(value) if isinstance(value, (dict, list)) else {}
