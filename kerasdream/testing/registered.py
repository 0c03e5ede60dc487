"""Checks that need no computation: registration, schema, help."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from pydantic import ValidationError

from kerasdream.plugins import manager
from kerasdream.plugins.manager import Plugin, Plugins
from kerasdream.plugins.registry import Registration, Registry
from kerasdream.plugins.signature import changing_parameters, check_signature, model_of
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Ramp

UNDER_TEST = "the plugin under test"


def check_schema(kind: str, factory: Callable[..., Any], parameters: Mapping[str, Any] | None = None) -> PartSpec:
    """Check that a factory can be used from a run file, and that its parameters survive a round trip through JSON.

    Args:
        kind: ``objectives``, ``priors``, ...
        factory: the function that the plugin registers.
        parameters: as in a run file.

    Returns:
        The validated entry; ``entry.make()`` calls the factory.

    Raises:
        AssertionError: a parameter has no help, an unknown parameter is accepted, or a value changes when it is written
            as JSON and read again.
        PluginError: the parameters are not keyword-only and annotated, or do not fit a run file.
    """
    registration = registered(kind, factory)
    check_signature(registration)
    expect(registration.summary, registration, "has no docstring; it is the help text in kerasdream list")
    model = model_of(registration)
    for name, field in model.model_fields.items():
        expect(field.description, registration, f"has no help for {name!r}; expected a line in the docstring's Args:")
    values = model.model_validate_json(json.dumps(dict(parameters or {})))
    plain = values.model_dump(mode="json", by_alias=True)
    again = model.model_validate_json(json.dumps(plain))
    expect(values == again, registration, f"reads back {again!r} where {values!r} was written")
    try:
        model.model_validate_json(json.dumps({**plain, "no_such_parameter": 1}))
    except ValidationError:
        pass
    else:
        raise AssertionError(f"{registration} accepts a parameter that does not exist")
    given = {name: getattr(values, name) for name in model.model_fields}
    return PartSpec(kind, registration.name, factory, UNDER_TEST, given, plain, (kind, 0, registration.name))


def check_plugin(plugin: ModuleType | Path | str) -> list[str]:
    """Check that a plugin loads: hooks, signatures, names, and that it does not import Keras when loaded.

    Args:
        plugin: the module, or the path of a plugin file or folder.

    Returns:
        What it registers, as ``objectives/sparkle``.

    Raises:
        AssertionError: it is broken; the message is the one that ``kerasdream plugins`` shows.
    """
    plugins, found = loaded(plugin)
    return [part for one in found for part in plugins.parts_of(one)]


def loaded(plugin: ModuleType | Path | str, cli: click.Group | None = None) -> tuple[Plugins, list[Plugin]]:
    """Load a plugin module, file or folder; return everything loaded, and the plugins that ``plugin`` stands for.

    Raises:
        AssertionError: one of them is broken.
    """
    if isinstance(plugin, ModuleType):
        plugins = manager.discover(installed=False, cli=cli)
        plugins.add(lambda: plugin, Plugin(plugin.__name__, distribution=UNDER_TEST))
        found = [plugins.found[-1]]
    else:
        plugins = manager.discover([Path(plugin)], cli=cli, installed=False)
        found = plugins.plugins_at(Path(plugin))
    for one in found:
        if one.error or one.notes:
            raise AssertionError(one.error or f"{one}: {one.notes[0]}")
    return plugins, found


def steady(entry: PartSpec) -> Iterator[tuple[str, PartSpec]]:
    """Yield (parameter, entry) for every number that accepts a schedule, with a schedule that stays at that number."""
    for name in changing_parameters(registered(entry.kind, entry.factory)) if entry.factory else ():
        value = entry.values[name]
        if isinstance(value, (int, float)):
            ramp = Ramp[float].model_validate({"from": value, "to": value})
            yield name, replace(entry, values={**entry.values, name: ramp})


def registered(kind: str, factory: Callable[..., Any]) -> Registration:
    """Register a factory as its plugin would."""
    registry = Registry()
    registry.add(kind, UNDER_TEST, factory)
    (registration,) = registry
    return registration


def expect(condition: Any, who: object, error: str) -> None:
    """Raise AssertionError naming the part unless ``condition`` holds; unlike ``assert``, also under ``python -O``."""
    if not condition:
        raise AssertionError(f"{who} {error}")
