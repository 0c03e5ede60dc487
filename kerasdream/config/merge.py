"""Merge a run file with its preset, the defaults and the overrides, before anything is validated."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from kerasdream.config.document import YamlDocument
from kerasdream.config.messages import shown
from kerasdream.config.overrides import names_preset, override, sets_objectives
from kerasdream.config.presets import with_preset
from kerasdream.config.sections import DEFAULT_LAYERS, DEFAULT_PARTS
from kerasdream.errors import ConfigError, Problem


def merged(document: YamlDocument, overrides: Sequence[str]) -> tuple[YamlDocument, list[Problem]]:
    """Return the run file over its preset over the defaults, with the overrides applied, and the errors in those.

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
    data |= {} if has_objectives else _default_objectives(data["model"])
    document = replace(document, data=data)
    document = _overridden(document, [text for text in overrides if not names_preset(text)], problems)
    if not has_objectives and not any(map(sets_objectives, overrides)):
        # The overrides may have changed the model.
        data = {key: value for key, value in document.data.items() if key != "objectives"}
        document = replace(document, data=data | _default_objectives(data["model"]))
    return document, problems


def _overridden(document: YamlDocument, overrides: Iterable[str], problems: list[Problem]) -> YamlDocument:
    """Return the document with the overrides applied; add the errors in them to ``problems``."""
    for text in overrides:
        try:
            document = override(document, text)
        except ConfigError as error:
            problems += error.problems
    return document


def _default_objectives(model: Any) -> dict[str, Any]:
    """Return the objectives of a run that names none, if its network has default layers."""
    name = model.get("name") if isinstance(model, dict) else getattr(model, "name", model)
    layers = DEFAULT_LAYERS.get(name, ()) if isinstance(name, str) else ()
    return {"objectives": [{"l2": {"layer": layer}} for layer in layers]} if layers else {}
