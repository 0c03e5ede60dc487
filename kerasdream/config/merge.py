"""Merge a run file with its preset, the defaults and the overrides, before anything is validated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from kerasdream.config.document import YamlDocument
from kerasdream.config.messages import shown
from kerasdream.config.overrides import names_preset, override, sets_objectives
from kerasdream.config.presets import with_preset
from kerasdream.config.sections import DEFAULT_PARTS
from kerasdream.errors import ConfigError, Problem
from kerasdream.models import default_layers


class Merged(NamedTuple):
    """A complete run file.

    Attributes:
        problems: errors in the overrides.
        chosen: the default layers, if the run names no objectives.
    """

    document: YamlDocument
    problems: list[Problem]
    chosen: Sequence[str]


def merged(document: YamlDocument, base: Path, overrides: Sequence[str]) -> Merged:
    """Return the run file over its preset over the defaults, with the overrides applied.

    Args:
        base: the folder that relative paths are relative to.

    Raises:
        ConfigError: the run file is not a mapping, or its preset is unknown, so that there is nothing to validate.
    """
    if document.data is None:
        text = "the file is empty; expected at least image: {source: photo.jpg}"
        raise ConfigError.of([Problem((), document.where(()), text)])
    if not isinstance(document.data, dict):
        text = f"expected a mapping of settings (key: value), not {shown(document.data)}"
        raise ConfigError.of([Problem((), document.where(()), text)])
    problems: list[Problem] = []
    document = _overridden(document, [text for text in overrides if names_preset(text)], problems)
    try:
        document = with_preset(document)
    except ConfigError as error:
        raise ConfigError.of([*problems, *error.problems]) from None
    has_objectives = "objectives" in document.data
    data = {**DEFAULT_PARTS, **document.data}
    chosen = [] if has_objectives else default_layers(data["model"], base)
    document = replace(document, data=data | _objectives(chosen))
    document = _overridden(document, [text for text in overrides if not names_preset(text)], problems)
    changed = any(text.startswith("model") for text in overrides)
    if not has_objectives and changed and not any(map(sets_objectives, overrides)):
        data = {key: value for key, value in document.data.items() if key != "objectives"}
        chosen = default_layers(data["model"], base)
        document = replace(document, data=data | _objectives(chosen))
    return Merged(document, problems, chosen)


def _overridden(document: YamlDocument, overrides: Iterable[str], problems: list[Problem]) -> YamlDocument:
    """Return the document with the overrides applied; add the errors in them to ``problems``."""
    for text in overrides:
        try:
            document = override(document, text)
        except ConfigError as error:
            problems += error.problems
    return document


def _objectives(layers: Sequence[str]) -> dict[str, Any]:
    """Return the objectives of a run that names none, as a part of a run file."""
    return {"objectives": [{"l2": {"layer": layer}} for layer in layers]} if layers else {}
