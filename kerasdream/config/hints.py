"""Hints for overrides of a key that does not exist: which keys of the run have that name, and how to type them."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from kerasdream.config.document import KeyPath
from kerasdream.config.messages import UNKNOWN
from kerasdream.config.overrides import NOT_THERE, OPTION, Override
from kerasdream.config.sections import LISTS, SECTIONS, RunFile
from kerasdream.errors import Problem
from kerasdream.plugins.registry import SUM, Registry
from kerasdream.plugins.signature import model_of

MOST = 4
"""Maximum number of keys that a hint lists."""


def with_hint(problem: Problem, data: Mapping[str, Any], registry: Registry) -> Problem:
    """Return a problem with a hint in place of its own, if it is an override of a key that the run does not have.

    Args:
        data: the complete run as plain data.
    """
    unknown, missing = problem.text.startswith(UNKNOWN), problem.text.endswith(NOT_THERE)
    if not problem.place.name.startswith(OPTION) or not (unknown or missing):
        return problem
    given = Override.read(problem.place.name.removeprefix(OPTION))
    meant = _typed(given, data, registry)
    if not meant:
        return problem
    what = f"{UNKNOWN} {problem.path[-1]!r}" if unknown else problem.text
    return replace(problem, text=f"{what}; did you mean {' or '.join(meant[:MOST])}?")


def _typed(given: Override, data: Mapping[str, Any], registry: Registry) -> list[str]:
    """Return the overrides that may have been meant, as they are typed."""
    words = [part for part in given.path if isinstance(part, str)]
    if not words:
        return []
    known = list(settable(data, registry))
    found = [path for path, names in known if words[-1] in names]
    close = [path for path in found if _in_order(words, path)]
    if found:
        return [_option(path, given) for path in close or found]
    value = given.value
    for word in reversed(words):
        value = f"{{{word}: {value}}}"
    parts = [OPTION + shlex.quote(f"{key}+={value}") for key in LISTS if words[0] in registry.entries[key]]
    near = difflib.get_close_matches(words[-1], {name for _, names in known for name in names}, n=1, cutoff=0.8)
    return parts or [_option(path, given) for path, names in known if near and near[0] in names]


def _in_order(words: Iterable[str], path: KeyPath) -> bool:
    """Whether a path has these words, in this order, with anything in between."""
    parts = iter(path)
    return all(word in parts for word in words)


def _option(path: KeyPath, given: Override) -> str:
    """Return an override as it is typed, with the value of another one."""
    equals = "+=" if given.appends else "="
    return OPTION + shlex.quote(f"{'.'.join(map(str, path))}{equals}{given.value}")


def settable(data: Mapping[str, Any], registry: Registry) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Yield the path of each value that can be set in a run, and the names under which one may look for it.

    Args:
        data: the complete run as plain data.
    """
    for key in RunFile.model_fields:
        fields = SECTIONS[key].model_fields if key in SECTIONS else ()
        yield from (((key, name), (name,)) for name in fields)
        if not fields:
            yield (key,), (key,)
    model = data.get("model")
    name = model.get("name", "file") if isinstance(model, dict) else model
    yield from _parameters(registry, "models", name, ("model",))
    yield from _entry(registry, "parametrizations", data.get("parametrization"), ("parametrization",))
    for key in LISTS:
        yield from _entries(registry, key, data.get(key), (key,))


def _entries(registry: Registry, key: str, items: Any, at: KeyPath) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Yield what can be set in a list of entries, or in a single one."""
    for index, item in enumerate(items if isinstance(items, list) else [items]):
        if isinstance(item, dict) and list(item) == [SUM]:
            whole = item[SUM]
            of = ("of",) if isinstance(whole, dict) and "of" in whole else ()
            yield from _entries(registry, key, whole["of"] if of else whole, (*at, index, SUM, *of))
        else:
            yield from _entry(registry, key, item, (*at, index))


def _entry(registry: Registry, kind: str, item: Any, at: KeyPath) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Yield what can be set in an entry."""
    name = next(iter(item), None) if isinstance(item, dict) else item
    yield from _parameters(registry, kind, name, (*at, str(name)), str(name))


def _parameters(
    registry: Registry, kind: str, name: Any, at: KeyPath, also: str = ""
) -> Iterator[tuple[KeyPath, tuple[str, ...]]]:
    """Yield the parameters of a part; the first one also goes by the name ``also``."""
    registration = registry.entries[kind].get(name) if isinstance(name, str) else None
    for index, parameter in enumerate(model_of(registration).model_fields if registration else ()):
        yield (*at, parameter), (parameter, also) if not index and also else (parameter,)
