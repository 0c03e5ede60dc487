"""Resolve a run file, a mapping or a Python call into a ``RunConfig``.

All errors are collected and reported at once, each as ``file:line:column: path: what is wrong; what was expected``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kerasdream.config.checks import check_layers, check_panels, check_projections, check_schedules
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.entries import Context, model_spec, spec, specs
from kerasdream.config.messages import Errors, shown
from kerasdream.config.overrides import names_preset, override, sets_objectives
from kerasdream.config.plugin_files import Trust, load_plugins
from kerasdream.config.presets import with_preset
from kerasdream.config.run_config import RunConfig
from kerasdream.config.sections import DEFAULT_LAYERS, DEFAULT_PARTS, LISTS, PARTS, SECTIONS, RunFile, written_out
from kerasdream.config.validation import validated
from kerasdream.errors import ConfigError, Problem, did_you_mean
from kerasdream.models import network_name
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
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.y*ml")])
        raise ConfigError(f"the run file {path} does not exist; {near}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the run file {path} cannot be read: {error}") from None
    document = parse(text, str(path))
    return resolve(document, path.parent, overrides, plugins=plugins, trust="anywhere" if trust else "folder")


def resolve(
    document: YamlDocument,
    base: Path,
    overrides: Iterable[str] = (),
    *,
    plugins: Sequence[Path] = (),
    trust: Trust = "folder",
) -> RunConfig:
    """Validate plain data into a RunConfig; from Python, parts may be given as objects in place of entries.

    Args:
        base: folder that relative paths are relative to.
        overrides: ``key.path=value`` strings; the value is YAML. Paths of photo, model and weights in them are relative
            to the working directory.
        plugins: plugin files and folders to load from anywhere, in addition to those named in the data.
        trust: which of the plugin files named in the data may be loaded: ``none`` (for a recipe from a picture), those
            in ``folder`` base or below, or ``anywhere``.

    Raises:
        ConfigError: lists every error found.
    """
    document, early = _merged(document, list(overrides))
    errors = Errors(document, early)
    data: dict[str, Any] = document.data
    settings = {key: written_out(key, value) for key, value in {"image": {}, **data}.items() if key not in PARTS}
    run_file = validated(RunFile, settings, (), errors, more_keys=PARTS)
    valid = dict(run_file) if run_file else _valid_settings(settings, errors)

    loaded = load_plugins(valid.get("plugins"), base, plugins, trust, errors)
    context = Context(base, loaded.registry, errors, loaded.complete, loaded.unused)
    model = model_spec(data["model"], context)
    context = replace(context, network=network_name(model) if model else None)
    lists = {key: specs(key, data.get(key, []), context) for key in LISTS}
    parametrization = spec("parametrizations", data["parametrization"], ("parametrization",), context)
    if not data.get("objectives") and (model is not None or "objectives" in data):
        errors.add(("objectives",), "missing; expected a list such as [{l2: {layer: NAME}}]")

    parts = [entry for entries in lists.values() for entry in entries]
    usable = [entry for entry in parts if entry.kind != "objectives" or _can_be_made(entry, errors)]
    check_layers(model, parts, errors)
    check_schedules(valid, parts, errors)
    check_projections(parametrization, parts, errors)
    check_panels(valid, usable, errors)
    errors.raise_if_any()
    assert run_file is not None and model is not None and parametrization is not None  # noqa: PT018 - errors otherwise

    used = {entry.plugin for entry in (model, parametrization, *parts)}
    return RunConfig(
        seed=run_file.seed,
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


def _merged(document: YamlDocument, overrides: Sequence[str]) -> tuple[YamlDocument, list[Problem]]:
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
    lists: Mapping[str, Sequence[PartSpec]],
    plugin_files: Iterable[Path],
) -> dict[str, Any]:
    """Return the run as plain data, every default written out; the order of the keys is the recipe's."""
    sections = {key: getattr(run_file, key).model_dump(mode="json", by_alias=True) for key in SECTIONS}
    files = [file.name for file in plugin_files]
    return {
        "version": run_file.version,
        "seed": run_file.seed,
        "model": {"name": model.name, **model.plain},
        "image": sections.pop("image"),
        "views": run_file.views,
        "parametrization": parametrization.recipe,
        **{key: [entry.recipe for entry in entries] for key, entries in lists.items()},
        **sections,
        **({"plugins": files} if files else {}),
    }
