"""Faults of a run file as sentences."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from kerasdream.config import document as source
from kerasdream.errors import did_you_mean
from kerasdream.schedules import SCHEDULES


def place_of(fault: str) -> tuple[int, int]:
    """The line and column a fault stands at, to report them in the order of the file."""
    place = re.match(r"[^\n]*?:(\d+):(\d+): ", fault)
    return (int(place[1]), int(place[2])) if place else (sys.maxsize, 0)


def explained(
    error: ValidationError, values: Any, schema: type[BaseModel], path: source.Path
) -> Iterator[tuple[source.Path, str]]:
    """Turns pydantic's errors into places and sentences; what the branches of a union wanted is one sentence.

    Args:
        values: what was validated.
        path: the place of ``values`` in the run file.
    """
    wanted: dict[source.Path, list[Any]] = {}
    for item in error.errors(include_url=False):
        where = tuple(_steps(item, values))
        if item["type"] == "extra_forbidden":
            options = schema.model_fields if len(where) == 1 else SCHEDULES.get(item["loc"][-2], ())
            yield (*path, *where), f"unknown key {where[-1]!r}; {did_you_mean(str(where[-1]), options, show=20)}"
        elif item["type"] == "missing":
            field = schema.model_fields.get(str(where[-1])) if len(where) == 1 else None
            text = f" ({field.description.rstrip('.')})" if field and field.description else ""
            yield (*path, *where), f"missing{text}"
        else:
            wanted.setdefault(where, []).append(item)
    for where, items in wanted.items():
        texts = " or ".join(dict.fromkeys(_wanted(item["msg"]) for item in items))
        yield (*path, *where), f"expected {texts}, not {shown(items[0]['input'])}"


def _steps(item: Any, values: Any) -> Iterator[str | int]:
    """The keys and indices that lead to an error: its location without the names of the branches of unions."""
    for depth, part in enumerate(item["loc"]):
        keys = values if isinstance(values, dict) else range(len(values)) if isinstance(values, list) else ()
        key = next((key for key in keys if str(key) == str(part)), None)
        if key is not None:
            yield key
            values = values[key]
        elif item["type"] == "missing" and depth == len(item["loc"]) - 1:
            yield part


def _wanted(message: str) -> str:
    """What was expected, from pydantic's sentence."""
    message = re.sub(r"^\w+ should (be|have) ", "", message)
    message = re.sub(r"^(greater|less) than", r"a number \1 than", message)
    return re.sub(r" after validation.*|, unable to parse.*", "", message)


def shown(value: Any) -> str:
    """A value as YAML on one short line."""
    try:
        text = yaml.safe_dump(value, default_flow_style=True, width=1000, allow_unicode=True).strip()
        text = text.removesuffix("...").strip()
    except yaml.YAMLError:
        text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
