"""Merge a run file with its preset, the defaults and the overrides, before anything is validated."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from kerasdream.config.document import YamlDocument
from kerasdream.config.messages import shown
from kerasdream.config.overrides import key_of, names_preset, override
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
    own = document.data
    document = replace(document, data={**DEFAULT_PARTS, **_dependent_defaults(own), **own})
    document = _overridden(document, [text for text in overrides if not names_preset(text)], problems)
    # The overrides may have changed the model or the parametrization.
    defaults, given = _dependent_defaults(document.data), {*own, *map(key_of, overrides)}
    data = {key: value for key, value in document.data.items() if key not in DEPENDENT or key in given}
    document = replace(document, data={**defaults, **data})
    return document, problems


def _overridden(document: YamlDocument, overrides: Iterable[str], problems: list[Problem]) -> YamlDocument:
    """Return the document with the overrides applied; add the errors in them to ``problems``."""
    for text in overrides:
        try:
            document = override(document, text)
        except ConfigError as error:
            problems += error.problems
    return document


DEPENDENT = ("objectives", "ascent")
"""The parts whose defaults depend on others."""


def _dependent_defaults(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return the objectives, if its network has default layers, and the ascent of a run that names none."""
    model, parametrization = (_name(data.get(key, DEFAULT_PARTS[key])) for key in ("model", "parametrization"))
    layers = DEFAULT_LAYERS.get(model, ())
    objectives = {"objectives": [{"l2": {"layer": layer}} for layer in layers]} if layers else {}
    ascent = [entry for entry in DEFAULT_PARTS["ascent"] if parametrization == "pixels" or "shadows" not in entry]
    return {**objectives, "ascent": ascent}


def _name(entry: Any) -> str:
    """Return the name of a part, in any of the forms in which an entry may be written; empty if it has none."""
    if isinstance(entry, dict):
        entry = entry.get("name", next(iter(entry), ""))
    name = getattr(entry, "name", entry)
    return name if isinstance(name, str) else ""
