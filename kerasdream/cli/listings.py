"""The commands that list or print: parts, plugins, layers, classes, presets, schema, recipes, new plugins."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream.cli.options import AS_JSON, PLUGINS, echo, loaded
from kerasdream.errors import KerasdreamError, ModelError, did_you_mean

if TYPE_CHECKING:
    from kerasdream.models.tables import Layer
    from kerasdream.plugins.manager import Plugin, Plugins
    from kerasdream.plugins.registry import Registry


@click.command(name="list")
@click.argument("kind", required=False)
@click.argument("name", required=False)
@PLUGINS
@AS_JSON
def list_(kind: str | None, name: str | None, plugin_files: tuple[Path, ...], as_json: bool) -> None:
    """List the parts a run file can use, or describe one.

    \b
    kerasdream list
    kerasdream list objectives
    kerasdream list objectives l2
    """
    from kerasdream.plugins.registry import BUILT_IN, KINDS

    plugins = loaded(plugin_files).require(plugin_files)
    plural = {**{k: k for k in KINDS}, **{singular: k for k, singular in KINDS.items()}}
    if kind is not None and kind not in plural:
        raise KerasdreamError(f"unknown kind {kind!r}; {did_you_mean(kind, KINDS)}")
    if kind is not None and name is not None:
        _describe(plugins, plural[kind], name, as_json)
        return
    kinds = [plural[kind]] if kind else list(KINDS)
    if as_json:
        from kerasdream.cli.describe import part_row

        rows = [part_row(registration, plugins) for one in kinds for registration in plugins.registry.of(one)]
        echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    for one in kinds:
        echo(f"{one}:" if kind is None else f"{len(plugins.registry.entries[one])} {one}:")
        for registration in plugins.registry.of(one):
            source = "" if registration.plugin == BUILT_IN else f"  [{registration.plugin}]"
            echo(f"  {registration.name:<20} {registration.summary}{source}")
    if plugins.broken:
        names = ", ".join(plugin.name for plugin in plugins.broken)
        echo(f"kerasdream: not in use: {names}; see kerasdream plugins", err=True)


def _describe(plugins: Plugins, kind: str, name: str, as_json: bool) -> None:
    """Print one part: help, parameters with types and defaults, the plugin it comes from."""
    from kerasdream.cli.describe import part_row

    try:
        row = part_row(plugins.registry.get(kind, name), plugins)
    except KeyError as error:
        raise KerasdreamError(f"{error.args[0]} (a part of a plugin file needs --plugin FILE)") from None
    if as_json:
        echo(json.dumps(row, indent=2, ensure_ascii=False))
        return
    echo(f"{row['name']}: {row['help']}\n")
    echo("Parameters:" if row["parameters"] else "No parameters.")
    for parameter in row["parameters"]:
        state = "required" if parameter["required"] else f"default {json.dumps(parameter['default'])}"
        echo(f"  {parameter['name']}: {parameter['type']}, {state}")
        if parameter["help"]:
            echo(f"      {parameter['help']}")
    echo(f"\nFrom plugin {row['plugin']} ({row['origin']}), {row['where']}")


@click.command()
@PLUGINS
@AS_JSON
def plugins(plugin_files: tuple[Path, ...], as_json: bool) -> None:
    """List plugins, with the error of each broken one.

    The environment variable KERASDREAM_PLUGINS selects which installed plugins are loaded: "film_grain,sparkle" loads
    only these, "-film_grain" all but this one, and an empty value none.
    """
    found = loaded(plugin_files)
    if as_json:
        echo(json.dumps([_row(plugin, found) for plugin in found.found], indent=2, ensure_ascii=False))
        return
    for plugin in found.found:
        parts = found.parts_of(plugin)
        state = plugin.state
        if plugin.error:
            state = f"broken: {plugin.error}"
        elif plugin.state == "loaded":
            state = (
                f"{len(parts)} part{'s' * (len(parts) != 1)}, {len(plugin.hooks)} hook{'s' * (len(plugin.hooks) != 1)}"
            )
        echo(f"{plugin.name} {plugin.version}".strip() + f" ({plugin.origin}): {state}")
        if plugin.origin != "built in":
            for line in (*parts, *plugin.notes):
                echo(f"  {line}")


def _row(plugin: Plugin, found: Plugins) -> dict[str, Any]:
    """Return one plugin as plain data; ``error`` says why it is broken."""
    return {
        "name": plugin.name,
        "version": plugin.version,
        "distribution": plugin.distribution or None,
        "file": str(plugin.file) if plugin.file else None,
        "origin": plugin.origin,
        "state": plugin.state,
        "hooks": plugin.hooks,
        "registers": found.parts_of(plugin),
        "notes": plugin.notes,
        "error": plugin.error,
    }


@click.command()
@click.argument("model")
@PLUGINS
def layers(model: str, plugin_files: tuple[Path, ...]) -> None:
    """List the layers of a MODEL, with channels and stride.

    MODEL is a name, or a .keras or .h5 file. Layers without a stride have no positions in the picture: they can be
    amplified with views: crops, as a class is.
    """
    for row in _layer_rows(model, loaded(plugin_files).require(plugin_files).registry):
        echo(row)


def _layer_rows(model: str, registry: Registry) -> Iterator[str]:
    """Yield a line for each layer of a named network or a model file.

    Raises:
        ModelError: the network is unknown, or its layers are.
    """
    rows, default = _known_layers(model, registry)
    width = max(36, *(len(row.name) for row in rows))
    yield f"{'layer':<{width}} {'channels':>8} {'stride':>6}  suits"
    for row in rows:
        suits = "crops" if not row.stride else "dreams (default)" if row.name in default else "dreams"
        yield f"{row.name:<{width}} {row.channels or '':>8} {row.stride or '':>6}  {suits}"


def _known_layers(model: str, registry: Registry) -> tuple[Sequence[Layer], Sequence[str]]:
    """Return the layers of a named network or a model file, and its default layers."""
    from kerasdream.models import default_layers, model_entry, saved, tables
    from kerasdream.models.loading import why_not

    default = default_layers(model, Path.cwd())
    if "file" in (model_entry(model) or {}) or Path(model).exists():
        if reason := why_not(Path(model)):
            raise ModelError(reason)
        found = saved.layers_in_file(Path(model))
        if not found:
            raise ModelError(
                f"{model} holds a model with no graph of layers: a subclass of keras.Model; build it with "
                "keras.Model(inputs, outputs) and save it again"
            )
        return list(found), default
    rows = tables.layers(model)
    if rows is None:
        known = [name for name in registry.entries["models"] if tables.layers(name)]
        near = did_you_mean(model, known, show=3)
        raise ModelError(
            f"no layer table for {model!r}; {near} (all networks: kerasdream list models), or a .keras or .h5 file"
        )
    return rows, default


@click.command()
@click.argument("text", required=False, default="")
def classes(text: str) -> None:
    """List the classes of ImageNet with their indices.

    With TEXT, list only the classes that have it in one of their names.
    """
    from kerasdream.models import imagenet

    indices = list(imagenet.found(text))
    if not indices:
        raise KerasdreamError(f"no class has {text!r} in its name; expected {imagenet.wanted(text)}")
    for index in indices:
        echo(f"{index:>3}  {', '.join(imagenet.classes()[index])}")


@click.command()
@click.argument("name", required=False)
@AS_JSON
def presets(name: str | None, as_json: bool) -> None:
    """List the presets, or print the preset NAME as a run file.

    \b
    kerasdream dream photo.jpg --preset google-2015
    kerasdream dream noise --preset deepdraw
    """
    from kerasdream.config.presets import names, summary, text

    if as_json:
        chosen = [name] if name else names()
        rows = [{"name": one, "summary": summary(one), "text": text(one)} for one in chosen]
        echo(json.dumps(rows[0] if name else rows, indent=2, ensure_ascii=False))
    elif name:
        echo(text(name).rstrip())
    else:
        for one in names():
            echo(f"{one:<22} {summary(one)}")


@click.command()
@PLUGINS
def schema(plugin_files: tuple[Path, ...]) -> None:
    """Print the JSON Schema of run files, for your editor."""
    from kerasdream.config.schema import json_schema

    echo(json.dumps(json_schema(loaded(plugin_files).require(plugin_files).registry), indent=2))


@click.command()
@click.argument("picture", type=click.Path(path_type=Path))
@click.option("--run-file", is_flag=True, help="Print a run file: to change it, or to trust it with any file it names.")
def show(picture: Path, run_file: bool) -> None:
    """Print the recipe inside a picture made by kerasdream."""
    from kerasdream.config.recipes import recipe_in, run_file_in

    echo((run_file_in if run_file else recipe_in)(picture).rstrip())


@click.command(name="new-plugin")
@click.argument("name")
@click.option(
    "--kind",
    default="objective",
    metavar="KIND",
    help="What it adds: objective (the default), prior, transform, ..., or command.",
)
@click.option(
    "-o",
    "--output",
    "folder",
    default=".",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder to put it in.",
)
@click.option("--author", default="", help="Your name, for setup.cfg and LICENSE.")
@click.option("--license", type=click.Choice(["MIT", "Apache-2.0"]), default="MIT", show_default=True)
def new_plugin(name: str, kind: str, folder: Path, author: str, license: str) -> None:
    """Write a new plugin called NAME.

    It comes with a module, tests, an example run file and everything needed to publish it.
    """
    from kerasdream.plugins.scaffold import WHAT, write_plugin

    kinds = {key: one for one, what in WHAT.items() for key in (one, what, what.partition(" ")[0])}
    if kind not in kinds:
        raise KerasdreamError(f"unknown kind {kind!r}; {did_you_mean(kind, WHAT.values())}")
    registry = loaded(()).registry
    path = write_plugin(name, folder, kind=kinds[kind], author=author, license=license, registry=registry)
    for file in sorted(file for file in path.rglob("*") if file.is_file()):
        echo(file)
    echo(f'\nNext: cd {path}; pip install -e ".[test]"; pytest', err=True)


COMMANDS = list_, plugins, layers, presets, classes, schema, show, new_plugin
