"""The validation of run files: from plain data to a RunConfig, or to faults with their places."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from kerasdream import components
from kerasdream.config import document as source
from kerasdream.config.checks import lone_panels, projections, short_schedules, unknown_layers
from kerasdream.config.messages import explained, place_of, shown
from kerasdream.config.overrides import names_preset, override
from kerasdream.config.presets import KEY, with_preset
from kerasdream.config.run_config import DEFAULT_LAYERS, DEFAULTS, LISTS, SECTIONS, VERSION, VIEWS, RunConfig, Trust
from kerasdream.config.sums import summands
from kerasdream.errors import ConfigError, OutputError, did_you_mean
from kerasdream.images.masks import Mask
from kerasdream.models import network_name
from kerasdream.output_names import NAMES, filled
from kerasdream.plugins import manager as plugins
from kerasdream.plugins.registry import KINDS, PYTHON, SUM, Registration, Registry
from kerasdream.plugins.signature import is_weighted, model_of
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import MARKS


class Resolver:
    """One validation: collects faults, knows where everything stands."""

    def __init__(self, document: source.Document, base: Path, plugin_files: Sequence[Path], trust: Trust) -> None:
        self.document, self.base, self.trust = document, base, trust
        self.plugin_files = list(plugin_files)
        self.faults: list[str] = []
        self.registry: Registry
        self.complete, self.unused = True, ""
        self.distributions: dict[str, tuple[str, str]] = {}
        self.network: str | None = None

    def fault(self, path: source.Path, text: str) -> None:
        dotted = ".".join(str(part) for part in path)
        self.faults.append(f"{self.document.where(path)}: {dotted + ': ' if dotted else ''}{text}")

    def resolve(self, overrides: Iterable[str]) -> RunConfig:
        data = self.document.data
        if data is None:
            raise ConfigError(
                f"{self.document.name}: the file is empty; expected at least image: {{source: photo.jpg}}"
            )
        if not isinstance(data, dict):
            raise ConfigError(
                f"{self.document.where(())}: expected a mapping of settings (key: value), not {shown(data)}"
            )
        data = self.started(data, list(overrides))
        self.registry = self.load_plugins(data.pop("plugins", []))
        keys = {*DEFAULTS, *SECTIONS, *LISTS, "plugins", KEY}
        for key in data:
            if key not in keys:
                self.fault((key,), f"unknown key {key!r}; {did_you_mean(str(key), sorted(keys), show=20)}")
        if data["version"] != VERSION or isinstance(data["version"], bool):
            self.fault(
                ("version",), f"expected {VERSION}, not {data['version']!r}; this file is for another kerasdream"
            )
        if not isinstance(data["seed"], int) or isinstance(data["seed"], bool) or not 0 <= data["seed"] < 2**32:
            self.fault(("seed",), f"expected a whole number from 0 to {2**32 - 1}, not {shown(data['seed'])}")
        if data["views"] not in VIEWS:
            self.fault(("views",), f"expected {', '.join(VIEWS)}, not {shown(data['views'])}")
        model = self.model(data["model"])
        self.network = network_name(model) if model else None
        lists = {key: self.entries(key, data.get(key, [])) for key in LISTS}
        if not data.get("objectives") and (model is not None or "objectives" in data):
            self.fault(("objectives",), "missing; expected a list such as [{l2: {layer: NAME}}]")
        sections = {key: self.section(key, data.get(key, {})) for key in SECTIONS}
        parametrization = self.entry("parametrizations", data["parametrization"], ("parametrization",))
        parts = [entry for entries in lists.values() for entry in entries]
        possible = [entry for entry in parts if entry.kind != "objectives" or self.possible(entry)]
        checks = (
            unknown_layers(model, parts),
            short_schedules(sections, parts),
            projections(parametrization, parts),
            lone_panels(data["views"], sections, possible),
        )
        for path, text in chain(*checks):
            self.fault(path, text)
        if self.faults:
            raise ConfigError("\n".join(sorted(self.faults, key=place_of)))
        assert model is not None
        assert parametrization is not None
        resolved = {
            "version": VERSION,
            "seed": data["seed"],
            "model": {"name": model.name, **model.plain},
            "image": sections["image"].model_dump(mode="json"),
            "views": data["views"],
            "parametrization": parametrization.recipe,
            **{key: [entry.recipe for entry in entries] for key, entries in lists.items()},
            **{key: sections[key].model_dump(mode="json", by_alias=True) for key in SECTIONS if key != "image"},
            **({"plugins": [file.name for file in self.plugin_files]} if self.plugin_files else {}),
        }
        config = RunConfig(
            seed=data["seed"],
            model=model,
            views=data["views"],
            parametrization=parametrization,
            base=self.base,
            data=resolved,
            plugin_files=tuple(self.plugin_files),
            **sections,
            **lists,
        )
        used = {entry.plugin for entry in config.entries}
        return replace(config, distributions={of: v for name, (of, v) in self.distributions.items() if name in used})

    def possible(self, entry: PartSpec) -> bool:
        """Whether a part can be made of its parameters; reports a fault if not."""
        try:
            entry.make()
        except ConfigError as error:
            self.faults.append(str(error))
            return False
        return True

    def started(self, own: dict[str, Any], overrides: Sequence[str]) -> dict[str, Any]:
        """The run file's data over those of its preset, these over the defaults, and the overrides over all."""
        of_preset = [text for text in overrides if names_preset(text)]
        document = source.Document(dict(own), self.document.name, self.document.marks)
        self.faults += filter(None, [override(document, text) for text in of_preset])
        document = self.document = with_preset(document)
        given = "objectives" in document.data
        document.data = {**DEFAULTS, **document.data}
        document.data |= {} if given else _default_objectives(document.data["model"])
        for text in overrides:
            if text not in of_preset:
                self.faults += filter(None, [override(document, text)])
                given |= text.startswith("objectives")
        if not given:  # the overrides may have changed the model
            document.data.pop("objectives", None)
            document.data |= _default_objectives(document.data["model"])
        return document.data

    def load_plugins(self, named: Any) -> Registry:
        """Loads the plugin files that were typed, and those the run file names where they are trusted.

        Where one is missing, so may be names in the registry: they are then no faults of the run file.
        """
        faultless = len(self.faults)
        if not isinstance(named, list) or not all(isinstance(file, str) for file in named):
            self.fault(("plugins",), f"expected a list of Python files and folders, not {shown(named)}")
            named = []
        typed, places = list(self.plugin_files), {}
        for i, name in enumerate(named):
            path = Path(os.path.normpath(self.base / Path(name).expanduser()))
            if self.trust == "none" and path.name in [given.name for given in typed]:
                continue
            if self.trusts(i, name, path):
                places.setdefault(path, i)
        self.plugin_files = list({path.resolve(): path for path in (*typed, *places)}.values())
        loaded = plugins.discover(self.plugin_files)
        for path in self.plugin_files:
            for plugin in loaded.plugins_at(path):
                if plugin.error and path in places:
                    self.fault(("plugins", places[path]), plugin.error)
                elif plugin.error:
                    self.faults.append(f"--plugin {path}: {plugin.error}")
        self.unused = ", ".join(plugin.name for plugin in loaded.found if plugin.error or plugin.disabled)
        self.complete = len(self.faults) == faultless
        self.distributions = {
            p.name: (p.distribution, p.version) for p in loaded.found if p.distribution and not p.error
        }
        return loaded.registry

    def trusts(self, index: int, name: str, path: Path) -> bool:
        """Whether a plugin file that the run file names may be loaded; reports a fault if not."""
        if self.trust == "none":
            self.fault(
                ("plugins", index),
                f"{name} is a plugin, and a recipe out of a picture loads none: it is code that runs; name the file "
                f"with --plugin, or use --trust to load {name} from beside the picture",
            )
        elif self.trust == "folder" and not all(
            file.resolve().is_relative_to(self.base.resolve()) for file in (path, *path.glob("*.py"))
        ):
            self.fault(
                ("plugins", index),
                f"{name} is outside the run file's folder, and a plugin is code that runs; copy it beside the run "
                "file, name it with --plugin, or use --trust",
            )
        else:
            return True
        return False

    def model(self, value: Any) -> PartSpec | None:
        """The ``model`` key: a name, a mapping with ``name`` or ``file``, or a Python object."""
        from kerasdream.components import Network

        if isinstance(value, Network):
            return PartSpec.of("models", value)
        if isinstance(value, str):
            value = {"name": value}
        if not isinstance(value, dict) or not ({"name", "file"} & value.keys()):
            self.fault(("model",), f"expected a name, {{name: ...}} or {{file: ...}}, not {shown(value)}")
            return None
        params = dict(value)
        name = params.pop("name", "file")
        return self.validated("models", name, params, ("model",), ("model",))

    def entries(self, key: str, items: Any, at: source.Path = ()) -> tuple[PartSpec, ...]:
        """A list of entries; a single one may stand without a list, and a sum stands for its summands."""
        made: list[PartSpec] = []
        at = at or (key,)
        if isinstance(items, (dict, str, *LISTS[key])):
            items = [items]
        if not isinstance(items, (list, tuple)):
            self.fault(at, f"expected a list of {KINDS[key]}s, not {shown(items)}")
            return ()
        for index, item in enumerate(items):
            if isinstance(item, LISTS[key]):
                made.append(PartSpec.of(key, item))
            elif key == "objectives" and isinstance(item, dict) and list(item) == [SUM]:
                made += summands(self, item[SUM], (*at, index, SUM))
            elif entry := self.entry(key, item, (*at, index)):
                made.append(entry)
        return tuple(made)

    def entry(self, kind: str, item: Any, path: source.Path) -> PartSpec | None:
        """One entry: ``name``, ``{name: first parameter}`` or ``{name: {parameter: value}}``."""
        if isinstance(item, components.Parametrization):
            return PartSpec.of(kind, item)
        if isinstance(item, str):
            item = {item: {}}
        if not isinstance(item, dict) or len(item) != 1:
            self.fault(path, f"expected one {KINDS[kind]}, {{NAME: {{parameter: value}}}}, not {shown(item)}")
            return None
        ((name, params),) = item.items()
        if name == PYTHON:
            self.fault(path, "was given as a Python object, which no recipe can hold; run it from Python again")
            return None
        return self.validated(kind, name, params, path, (*path, name))

    def validated(self, kind: str, name: Any, params: Any, at: source.Path, path: source.Path) -> PartSpec | None:
        """Checks a name against the registry and its parameters against the factory's signature."""
        try:
            registration = self.registry.get(kind, str(name))
        except KeyError as error:
            unused = (
                f" (kerasdream plugins says why these plugins are not in use: {self.unused})" if self.unused else ""
            )
            if self.complete:
                self.fault(at, error.args[0] + unused)
            return None
        schema = model_of(registration)
        params = {} if params is None else params
        if not isinstance(params, dict) or _is_schedule(params, schema):
            if not schema.model_fields:
                self.fault(path, f"{name!r} takes no parameters, not {shown(params)}")
                return None
            params = {next(iter(schema.model_fields)): params}
        parameters = self.check(schema, params, path)
        return None if parameters is None else self.finished(registration, parameters, path)

    def finished(self, registration: Registration, parameters: BaseModel, path: source.Path) -> PartSpec:
        values = {name: self.absolute(getattr(parameters, name)) for name in type(parameters).model_fields}
        plain = parameters.model_dump(mode="json", by_alias=True)
        plain |= {name: value.name for name, value in values.items() if isinstance(value, Path)}
        if "mask" in plain and plain["mask"] is None and is_weighted(registration.kind, registration.factory):
            del plain["mask"]  # that there is none need not stand in every recipe
        plain |= {name: value.plain for name, value in values.items() if isinstance(value, Mask)}
        if registration.kind == "outputs":
            try:
                filled(plain["path"], dict.fromkeys(NAMES, "x"))
            except OutputError as error:
                self.fault((*path, "path"), str(error))
            plain["path"] = Path(plain["path"]).name
        return PartSpec(
            registration.kind,
            registration.name,
            registration.factory,
            registration.plugin,
            values,
            plain,
            path,
            place=self.document.where(path),
        )

    def absolute(self, value: Any) -> Any:
        """Makes file parameters relative to the run file."""
        if isinstance(value, Mask):
            return replace(value, path=self.absolute(value.path))
        return self.base / value.expanduser() if isinstance(value, Path) else value

    def section(self, key: str, value: Any) -> Any:
        """A section of plain settings."""
        if key == "image" and isinstance(value, str):
            value = {"source": value}
        if not isinstance(value, dict):
            self.fault((key,), f"expected a mapping of {', '.join(SECTIONS[key].model_fields)}, not {shown(value)}")
            return None
        return self.check(SECTIONS[key], value, (key,))

    def check(self, schema: type[BaseModel], values: dict[Any, Any], path: source.Path) -> Any:
        """Validates as strictly as JSON is; None after reporting what is wrong."""
        try:
            plain = json.dumps(values, default=_refused)
            return schema.model_validate_json(plain, context={"network": self.network})
        except ValidationError as error:
            for place, text in explained(error, values, schema, path):
                self.fault(place, text)
        except TypeError as error:
            self.fault(path, str(error))
        return None


def _default_objectives(model: Any) -> dict[str, Any]:
    """The objectives of a run that names none, where its network has layers known to be worth it."""
    name = model.get("name") if isinstance(model, dict) else getattr(model, "name", model)
    layers = DEFAULT_LAYERS.get(name, ()) if isinstance(name, str) else ()
    return {"objectives": [{"l2": {"layer": layer}} for layer in layers]} if layers else {}


def _is_schedule(params: dict[Any, Any], schema: type[BaseModel]) -> bool:
    """Whether a mapping is a schedule for an entry's first parameter: ``rate: {from: 0.03, to: 0.01}``."""
    return bool(MARKS & params.keys()) and not params.keys() & schema.model_fields.keys()


def _refused(value: Any) -> Any:
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:  # a NumPy number
        return value.item()
    raise TypeError(f"expected plain data, not a {type(value).__name__}")
