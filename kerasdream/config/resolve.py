"""Resolve a run file, a mapping or a Python call into a ``RunConfig``.

All errors are collected and reported at once, each as ``file:line:column: path: what is wrong; what was expected``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from kerasdream._files import at_home
from kerasdream.config.capacity import check_capacity
from kerasdream.config.checks import (
    check_layers,
    check_panels,
    check_pixels,
    check_relative,
    check_schedules,
    check_sources,
    check_weights,
)
from kerasdream.config.document import YamlDocument, read
from kerasdream.config.entries import Context, model_spec, spec, specs
from kerasdream.config.hints import with_hint
from kerasdream.config.ineffective import without_effect
from kerasdream.config.merge import merged
from kerasdream.config.messages import Errors
from kerasdream.config.plugin_files import LoadedPlugins, Trust, load_plugins
from kerasdream.config.recorded import Recorded
from kerasdream.config.run_config import RunConfig
from kerasdream.config.sections import LISTS, NOISE, PARTS, SECTIONS, RunFile, written_out
from kerasdream.config.step_length import without_length
from kerasdream.config.validation import validated
from kerasdream.errors import ConfigError, did_you_mean
from kerasdream.models import default_note, network_name, no_default, parts
from kerasdream.plugins.spec import PartSpec


def load(path: Path, overrides: Iterable[str] = (), *, plugins: Sequence[Path] = (), trust: bool = False) -> RunConfig:
    """Read and validate a run file.

    Args:
        overrides, plugins: see ``resolve``.
        trust: whether plugin files named in the run file may be anywhere, rather than in its own folder or below.

    Raises:
        ConfigError: lists every error found.
    """
    try:
        document = read(path)
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.y*ml")])
        raise ConfigError(f"the run file {path} does not exist; {near}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the run file {path} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    return resolve(document, path.parent, overrides, plugins=plugins, trust="anywhere" if trust else "folder")


def resolve(
    document: YamlDocument,
    base: Path,
    overrides: Iterable[str] = (),
    *,
    layers: Sequence[str] = (),
    plugins: Sequence[Path] = (),
    trust: Trust = "folder",
    recorded: Recorded | None = None,
) -> RunConfig:
    """Validate plain data into a RunConfig; from Python, parts may be given as objects in place of entries.

    Args:
        base: folder that relative paths are relative to.
        overrides: ``key.path=value`` strings; the value is YAML. Paths of photo, model and weights in them are relative
            to the working directory.
        layers: layers for objectives in place of those of the run file; see ``config.merge.with_layers``.
        plugins: plugin files and folders to load from anywhere, in addition to those named in the data.
        trust: which of the plugin files named in the data may be loaded: ``none`` (for a recipe from a picture), those
            in ``folder`` base or below, or ``anywhere``.
        recorded: if it is the recipe of a picture: the files that it may name.

    Raises:
        ConfigError: lists every error found.
    """
    document, early, given, chosen = merged(document, base, list(overrides), layers=layers, recipe=recorded is not None)
    errors = Errors(document, early)
    data: dict[str, Any] = document.data
    settings = _settings(document, base)
    run_file = validated(RunFile, settings, (), errors, more_keys=PARTS)
    valid = dict(run_file) if run_file else _valid_settings(settings, errors)
    loaded = load_plugins(valid.get("plugins"), base, plugins, trust, errors)
    parts = _parts(
        data, Context(base, loaded.registry, errors, loaded.complete, loaded.unused, trust=trust, recorded=recorded)
    )
    check_sources(valid, base, errors)
    _check(valid, parts, errors)
    errors.problems = [with_hint(problem, data, loaded.registry) for problem in errors.problems]
    errors.raise_if_any()
    assert run_file is not None
    config = _run_config(run_file, parts, loaded, base)
    notes = [default_note(config.model, chosen), *without_effect(config, given), *without_length(config.ascent)]
    return replace(config, notes=tuple(filter(None, notes)))


def _settings(document: YamlDocument, base: Path) -> dict[Any, Any]:
    """Return all keys but the parts, without shorthands; photos and plugins of a preset's file are in its folder."""
    data = {"image": {}, **document.data}
    settings = {key: written_out(key, value) for key, value in data.items() if key not in PARTS}
    image = settings["image"]
    if isinstance(image, dict) and "source" in image:
        folder = document.folder(("image", "source"), base)
        settings["image"] = {**image, "source": _within(folder, base, image["source"])}
    if "plugins" in settings:
        settings["plugins"] = _within(document.folder(("plugins",), base), base, settings["plugins"])
    return settings


def _within(folder: Path, base: Path, value: Any) -> Any:
    """Return a path, or each of a list of them, in a folder, if that is not ``base``."""
    if isinstance(value, list):
        return [_within(folder, base, item) for item in value]
    outside = isinstance(value, str) and value != NOISE and folder != base
    return str((folder / at_home(value)).absolute()) if outside else value


@dataclass(frozen=True)
class _Parts:
    """The parts of a run; None where the entry has errors."""

    model: PartSpec | None
    parametrization: PartSpec | None
    lists: Mapping[str, tuple[PartSpec, ...]]

    @property
    def listed(self) -> list[PartSpec]:
        """The parts of all lists."""
        return [entry for entries in self.lists.values() for entry in entries]


def _parts(data: Mapping[str, Any], context: Context) -> _Parts:
    """Check the entries of a run file, and return the parts that are valid."""
    model = model_spec(data["model"], context)
    names = tuple(network_name(member) for member in parts(model)) if model else ()
    context = replace(context, network="+".join(names) or None, networks=names if len(names) > 1 else ())
    lists = {key: specs(key, data.get(key, []), context) for key in LISTS}
    if not data.get("objectives") and (model is not None or "objectives" in data):
        reason = model and "objectives" not in data and no_default(model)
        context.errors.add(("objectives",), reason or "missing; expected a list such as [{l2: {layer: NAME}}]")
    return _Parts(model, spec("parametrizations", data["parametrization"], ("parametrization",), context), lists)


def _check(valid: Mapping[str, Any], parts: _Parts, errors: Errors) -> None:
    """Report errors that no key shows on its own."""
    usable = [entry for entry in parts.listed if entry.kind != "objectives" or _can_be_made(entry, errors)]
    check_layers(parts.model, parts.listed, errors)
    check_schedules(valid, parts.listed, errors)
    check_pixels(parts.parametrization, parts.listed, errors)
    check_weights(parts.listed, errors)
    check_panels(valid, usable, errors)
    check_capacity(valid, parts.model, errors)
    check_relative(usable, errors)


def _run_config(run_file: RunFile, parts: _Parts, loaded: LoadedPlugins, base: Path) -> RunConfig:
    """Return the config of a run without errors."""
    model, parametrization, lists = parts.model, parts.parametrization, parts.lists
    assert model is not None
    assert parametrization is not None
    used = {entry.plugin for entry in (model, parametrization, *parts.listed)}
    return RunConfig(
        seed=run_file.seed,
        strength=run_file.strength,
        model=model,
        image=run_file.image,
        views=run_file.views,
        parametrization=parametrization,
        objectives=lists["objectives"],
        priors=lists["priors"],
        transforms=lists["transforms"],
        ascent=lists["ascent"],
        octaves=run_file.octaves,
        frames=run_file.frames,
        tiles=run_file.tiles,
        crops=run_file.crops,
        engine=run_file.engine,
        postprocess=lists["postprocess"],
        outputs=lists["outputs"],
        base=base,
        data=_recipe(run_file, model, parametrization, lists, loaded.files),
        plugin_files=loaded.files,
        distributions=dict(pair for name, pair in loaded.distributions.items() if name in used),
    )


def _valid_settings(settings: Mapping[str, Any], errors: Errors) -> dict[str, Any]:
    """Return the settings without errors, validated, so that errors of other kinds are found in the same pass."""
    wrong = {str(problem.path[0]) for problem in errors.problems if problem.path}
    right = {key: value for key, value in settings.items() if str(key) not in wrong}
    found = validated(RunFile, {"image": {"source": "noise"}, **right}, (), errors)
    return {key: value for key, value in found or () if key not in wrong}


def _can_be_made(entry: PartSpec, errors: Errors) -> bool:
    """Whether a part accepts its parameters; reports an error if not."""
    try:
        entry.make()
    except ConfigError as error:
        # The message of `error` starts with the entry's place; its cause is the part's own error.
        errors.add(entry.path, str(error.__cause__))
        return False
    return True


def _recipe(
    run_file: RunFile,
    model: PartSpec,
    parametrization: PartSpec,
    lists: Mapping[str, tuple[PartSpec, ...]],
    plugin_files: Iterable[Path],
) -> dict[str, Any]:
    """Return the run as plain data, every default written out; the order of the keys is the recipe's."""
    sections = {key: getattr(run_file, key).model_dump(mode="json", by_alias=True) for key in SECTIONS}
    files = [file.name for file in plugin_files]
    return {
        "version": run_file.version,
        "seed": run_file.seed,
        "strength": run_file.strength,
        "model": {"name": model.name, **model.plain},
        "image": sections.pop("image"),
        "views": run_file.views,
        "parametrization": parametrization.recipe,
        **{key: [entry.recipe for entry in entries] for key, entries in lists.items()},
        **sections,
        **({"plugins": files} if files else {}),
    }
