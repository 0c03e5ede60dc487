"""Merge a run file with its preset, the defaults and the overrides, before anything is validated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from kerasdream.config.document import KeyPath, YamlDocument
from kerasdream.config.ensembles import NETWORKS, named_entry
from kerasdream.config.messages import shown
from kerasdream.config.overrides import Override, names_preset, override, sets
from kerasdream.config.presets import with_preset
from kerasdream.config.recorded import not_a_base_name
from kerasdream.config.sections import DEFAULT_PARTS, FIRST, SECTIONS, written_out
from kerasdream.errors import ConfigError, Place, Problem
from kerasdream.models import default_layers, model_entry

PHOTO = "PHOTO"
"""The name of the place of the photo that a command was given."""

DEPENDENT = ("objectives", "ascent")
"""Keys whose defaults depend on other keys."""


class Merged(NamedTuple):
    """A complete run file.

    Attributes:
        problems: errors in the overrides.
        given: the settings of the run file itself and of the overrides, and their places.
        chosen: the network's default layers, if the run names no objectives.
    """

    document: YamlDocument
    problems: list[Problem]
    given: Mapping[KeyPath, Place]
    chosen: Sequence[str]


def merged(
    document: YamlDocument, base: Path, overrides: Sequence[str], *, layers: Sequence[str] = (), recipe: bool = False
) -> Merged:
    """Return the run file over its preset over the defaults, with the overrides applied.

    Args:
        base: the folder that relative paths are relative to.
        layers: see ``config.resolve.resolve``.
        recipe: whether it is the recipe of a picture, which starts from no file and has every default written out.

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
    given = {} if recipe else _given(document)
    for text in overrides:
        with suppress(ConfigError):
            option = Override.read(text)
            given[option.path[:2]] = option.place
            problems += _given_twice(document, option, layers)
    document = _overridden(document, [text for text in overrides if names_preset(text)], problems)
    try:
        document = with_preset(document, base, files=not recipe)
    except ConfigError as error:
        raise ConfigError.of([*problems, *error.problems]) from None
    independent = {key: value for key, value in DEFAULT_PARTS.items() if key not in DEPENDENT}
    document = replace(document, data={**independent, **document.data})
    rest = [text for text in overrides if not names_preset(text)]
    document = _overridden(document, [text for text in rest if not sets(text, DEPENDENT)], problems)
    # Now the model and the parametrization are those of the run.
    model = document.data["model"]
    chosen: Sequence[str] = ()
    if "objectives" not in document.data and not layers and not (recipe and _leads_elsewhere(model)):
        chosen = _default_layers(model, document.folder(("model",), base))
    defaults = {"ascent": _default_ascent(document.data["parametrization"]), **_objectives(chosen, model)}
    document = with_layers(replace(document, data={**defaults, **document.data}), layers)
    document = _overridden(document, [text for text in rest if sets(text, DEPENDENT)], problems)
    unsaid = not any(sets(text, ("objectives",)) for text in rest)
    return Merged(document, problems, given, chosen if unsaid else ())


def _given_twice(document: YamlDocument, option: Override, layers: Sequence[str]) -> Iterator[Problem]:
    """Yield an error if an override takes the place of what an option or an argument of the same command sets."""
    marks = dict(document.marks)
    if layers:
        marks["objectives", 0] = Place(" ".join(f"--layer {layer}" for layer in layers))
    for path, place in marks.items():
        is_option = place.line is None and place.name.startswith(("--", PHOTO))
        if is_option and not option.appends and path[: len(option.path)] == option.path:
            yield Problem(option.path, option.place, f"is given twice: {place} sets it, too; leave one of them out")


def _given(document: YamlDocument) -> dict[KeyPath, Place]:
    """Return the settings that a run file sets, those of sections one by one, and their places."""
    paths: list[KeyPath] = []
    for key, value in document.data.items():
        written = written_out(key, value)
        in_section = isinstance(key, str) and key in SECTIONS and isinstance(written, dict)
        paths += [(key, name) for name in written] if in_section else [(key,)]
    return {path: document.where(path) for path in paths}


def with_layers(document: YamlDocument, layers: Sequence[str]) -> YamlDocument:
    """Return a run file with an objective for each of these layers in place of its own; unchanged if there are none.

    If all of its own objectives are of one kind that has a layer, that kind is kept, and with a single objective all
    of its settings. Otherwise the new ones are ``l2``.
    """
    if not layers:
        return document
    own = document.data.get("objectives")
    entries = [entry for entry in (own if isinstance(own, list) else [own]) if isinstance(entry, dict)]
    pairs = [  # a shorthand, {mean: block5_expand} or {guide: flower.jpg}, goes with a layer, except that of a class
        (kind, {FIRST: value} if isinstance(value, str) and kind != "class" else value)
        for entry in entries
        for kind, value in entry.items()
    ]
    kind, settings = pairs[0] if pairs else ("l2", {})
    if len({name for name, _ in pairs}) != 1 or not all(
        isinstance(v, dict) and v.keys() & {"layer", FIRST} for _, v in pairs
    ):
        kind, settings = "l2", {}
    settings = settings if len(pairs) == 1 else {}
    marks = {path: mark for path, mark in document.marks.items() if path[:1] != ("objectives",)}
    marks |= {("objectives", index): Place(f"--layer {layer}") for index, layer in enumerate(layers)}
    objectives = [{kind: {**settings, "layer": layer}} for layer in layers]
    return replace(document, data={**document.data, "objectives": objectives}, marks=marks)


def _overridden(document: YamlDocument, overrides: Iterable[str], problems: list[Problem]) -> YamlDocument:
    """Return the document with the overrides applied; add the errors in them to ``problems``."""
    for text in overrides:
        try:
            document = override(document, text)
        except ConfigError as error:
            problems += error.problems
    return document


def _default_ascent(parametrization: Any) -> list[Any]:
    """Return the ascent of a run that names none: without ``shadows`` if the state is not a picture."""
    name = next(iter(parametrization), "") if isinstance(parametrization, dict) else parametrization
    pixels = getattr(name, "name", name) == "pixels"
    return [rule for rule in DEFAULT_PARTS["ascent"] if pixels or "shadows" not in rule]


def _default_layers(model: Any, base: Path) -> Sequence[str]:
    """Return the default layers of a run's network, or of all networks of an ensemble; none if one has none."""
    members = named_entry(model).get(NETWORKS) if isinstance(model, dict) else None
    if not isinstance(members, list):
        return default_layers(model, base)
    found = {_name(member): default_layers(member, base) for member in members}
    return [f"{name}/{layer}" for name, layers in found.items() for layer in layers] if all(found.values()) else []


def _leads_elsewhere(model: Any) -> bool:
    """Whether a network, or one of an ensemble's, is in a file that is not next to the picture."""
    members = named_entry(model).get(NETWORKS) if isinstance(model, dict) else None
    entries = [model_entry(one) or {} for one in (members if isinstance(members, list) else [model])]
    return any("file" in entry and not_a_base_name(entry["file"]) for entry in entries)


def _objectives(layers: Sequence[str], model: Any) -> dict[str, Any]:
    """Return the objectives of a run that names none; those of an ensemble are averaged over its networks."""
    members = named_entry(model).get(NETWORKS) if isinstance(model, dict) else None
    weight = {"weight": 1 / len(members)} if isinstance(members, list) and members else {}
    return {"objectives": [{"l2": {"layer": layer, **weight}} for layer in layers]} if layers else {}


def _name(model: Any) -> str:
    """Return the name of a network of an ensemble; that of a file is the file's."""
    entry = model_entry(model) or {}
    return Path(entry["file"]).stem if isinstance(entry.get("file"), str) else str(entry.get("name"))
