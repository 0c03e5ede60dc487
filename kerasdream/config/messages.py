"""Collect the errors of a run file, and turn pydantic's errors into sentences."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from kerasdream.config.document import KeyPath, YamlDocument
from kerasdream.errors import ConfigError, Problem, did_you_mean
from kerasdream.schedules import SCHEDULES

MOST = 100
"""Errors that are looked for in one document."""


class Errors:
    """The errors found so far in a document, to be reported all at once.

    Args:
        problems: errors found before the document was complete.
    """

    def __init__(self, document: YamlDocument, problems: Iterable[Problem] = ()) -> None:
        self.document = document
        self.problems = list(problems)

    def add(self, path: KeyPath, text: str) -> None:
        """Add an error of the value at ``path``.

        Raises:
            ConfigError: it is one of more than ``MOST``; to look for further ones could take long.
        """
        self.problems.append(Problem(path, self.document.where(path), text))
        if len(self.problems) > MOST:
            self.raise_if_any()

    def raise_if_any(self) -> None:
        """Raise a ConfigError that lists the errors in the order of the file; those without a line come last."""
        if self.problems:
            raise ConfigError.of(sorted(self.problems, key=_position))


UNKNOWN = "unknown key"

PLAIN_WORDS = {
    r"^greater than or equal to ": "at least ",
    r"^less than or equal to ": "at most ",
    r"^greater than ": "more than ",
    r"^a valid integer": "a whole number",
    r"^a valid number": "a number",
    r"^a valid string": "text",
    r"^a valid boolean": "true or false",
    r"^a valid array": "a list",
}
"""How pydantic's sentences begin, and the words for it that need no knowledge of types."""


def _position(problem: Problem) -> tuple[int, int]:
    line, column = problem.place.line, problem.place.column
    return (sys.maxsize, 0) if line is None or column is None else (line, column)


def explained(
    error: ValidationError, values: Any, schema: type[BaseModel], more_keys: Sequence[str] = ()
) -> Iterator[tuple[KeyPath, str]]:
    """Yield the path within ``values`` and a sentence for each error; one sentence for all branches of a union.

    Args:
        values: the plain data that was validated.
        more_keys: keys to suggest for an unknown one, in addition to the fields of ``schema``.
    """
    mismatches: dict[KeyPath, list[ErrorDetails]] = {}
    for item in error.errors(include_url=False):
        where = tuple(_steps(item, values))
        parent = _model_at(schema, where[:-1])
        if item["type"] == "extra_forbidden":
            options = parent.model_fields if parent else SCHEDULES.get(str(item["loc"][-2]), ())
            known = sorted([*options, *more_keys]) if more_keys and len(where) == 1 else options
            key = str(where[-1])
            yield where, f"{UNKNOWN} {where[-1]!r}; {without_space(key, known) or did_you_mean(key, known, show=20)}"
        elif item["type"] == "missing":
            field = parent.model_fields.get(str(where[-1])) if parent else None
            yield where, f"missing ({field.description.rstrip('.')})" if field and field.description else "missing"
        else:
            mismatches.setdefault(where, []).append(item)
    for where, items in mismatches.items():
        texts = " or ".join(dict.fromkeys(_expected(item, _model_at(schema, where)) for item in items))
        yield where, f"expected {texts}, not {shown(items[0]['input'])}"


def without_space(key: str, known: Container[str]) -> str:
    """Return what to write for a key that swallowed its value, ``{l2:c3}``; nothing if it did not."""
    name, colon, value = key.partition(":")
    return f"YAML needs a space after the colon: {name}: {value}" if colon and name in known else ""


def _steps(item: ErrorDetails, values: Any) -> Iterator[str | int]:
    """Yield the keys and indices that lead to an error: its location without the names of the branches of unions."""
    for depth, part in enumerate(item["loc"]):
        keys = values if isinstance(values, dict) else range(len(values)) if isinstance(values, list) else ()
        found = [key for key in keys if _in_json(key) == str(part)]
        if found:
            yield found[0]
            values = values[found[0]]
        elif item["type"] == "missing" and depth == len(item["loc"]) - 1:
            yield part


def _in_json(key: Any) -> str:
    """Return a key of a mapping as JSON writes it: ``null`` for None."""
    return key if isinstance(key, str) else json.dumps(key)


def _model_at(schema: type[BaseModel], path: KeyPath) -> type[BaseModel] | None:
    """Return the model of the mapping at a path, where the path leads through models only."""
    for key in path:
        field = schema.model_fields.get(str(key))
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return None
        schema = field.annotation
    return schema


def _expected(item: ErrorDetails, model: type[BaseModel] | None) -> str:
    """Return what was expected, from pydantic's sentence."""
    if item["type"] == "model_type" and model:
        return f"a mapping of {', '.join(model.model_fields)}"
    message = re.sub(r"^\w+ should (be|have) ", "", item["msg"])
    for pattern, words in PLAIN_WORDS.items():
        message = re.sub(pattern, words, message)
    return re.sub(r" after validation.*|, unable to parse.*", "", message)


def shown(value: Any) -> str:
    """Return a value as YAML on one short line."""
    try:
        text: str = yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True).strip()
        text = text.removesuffix("...").strip()
    except yaml.YAMLError:
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
