"""Finding and loading plugins: the built-ins, installed distributions, and files named in a run file or typed.

Every plugin is loaded, and each of its hooks called, by itself: a broken one is put on record with its cause and does
not stop those after it.
"""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import pluggy

from kerasdream import hookspecs
from kerasdream.errors import PluginError, did_you_mean
from kerasdream.plugins import attribution
from kerasdream.plugins import files as plugin_files
from kerasdream.plugins.registry import KINDS, Registration, Registry

if TYPE_CHECKING:
    import click

GROUP = "kerasdream"
BUILT_IN = "built in"
HOOKS = [name for name in vars(hookspecs) if name.startswith("register_")]
SELECTION = "KERASDREAM_PLUGINS"
"""The environment variable that says which installed plugins are loaded; see ``Selection``."""


@dataclass
class Plugin:
    """A plugin as found.

    Attributes:
        name: of the entry point or the file.
        version, distribution: of an installed plugin.
        file: where a plugin that is not installed is.
        named: the path that was asked for: ``file``, or the folder it is in.
        hooks: the hooks it implements.
        notes: what its author should hear.
        error: why it is not in use, if it is broken.
        disabled: whether ``KERASDREAM_PLUGINS`` leaves it out.
    """

    name: str
    version: str = ""
    distribution: str = ""
    file: Path | None = None
    named: Path | None = None
    hooks: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    disabled: bool = False

    @property
    def origin(self) -> str:
        """Where it is from, in words."""
        if self.file:
            return f"file {self.file}"
        if self.distribution:
            return f"distribution {self.distribution}"
        return BUILT_IN if self.name == "kerasdream" else "not installed"

    @property
    def state(self) -> str:
        """``loaded``, ``broken`` or ``disabled``."""
        return "broken" if self.error else "disabled" if self.disabled else "loaded"

    def __str__(self) -> str:
        return f"the plugin {self.name!r} ({self.origin})"


@dataclass(frozen=True)
class Selection:
    """Which installed plugins are loaded: what ``KERASDREAM_PLUGINS`` says.

    Names of plugins or of their distributions, with commas between: ``film_grain,sparkle`` loads these alone, nothing
    at all loads none, ``-film_grain`` all but this one. Not set, it loads all.
    """

    only: frozenset[str] | None
    without: frozenset[str]

    @classmethod
    def of(cls, text: str | None) -> Selection:
        """Reads the variable's text; None if it is not set."""
        names = [name.strip() for name in (text or "").split(",") if name.strip()]
        without = frozenset(_normal(name[1:]) for name in names if name.startswith("-"))
        only = frozenset(_normal(name) for name in names if not name.startswith("-"))
        return cls(None if text is None or (without and not only) else only, without)

    def admits(self, plugin: Plugin) -> bool:
        """Whether an installed plugin is to be loaded."""
        names = {_normal(plugin.name), _normal(plugin.distribution)}
        return (self.only is None or bool(names & self.only)) and not names & self.without

    def missing(self, found: Iterable[Plugin]) -> Iterator[Plugin]:
        """Yields, as broken, each plugin that is selected but not installed."""
        known = {_normal(name): name for plugin in found for name in (plugin.name, plugin.distribution) if name}
        for name in sorted((self.only or frozenset()) - known.keys()):
            near = did_you_mean(name, sorted(known.values()))
            yield Plugin(name, error=f"{SELECTION} names {name!r}, which is not installed; {near}")


@dataclass
class Plugins:
    """Everything that could be loaded, and what could not."""

    manager: pluggy.PluginManager
    registry: Registry = field(default_factory=Registry)
    found: list[Plugin] = field(default_factory=list)
    cli: click.Group | None = None

    @property
    def broken(self) -> list[Plugin]:
        """The plugins that could not be loaded."""
        return [plugin for plugin in self.found if plugin.error]

    def parts_of(self, plugin: Plugin) -> list[str]:
        """What a plugin has registered: ``objectives/l2``."""
        own = [part for part in self.registry if part.plugin == plugin.name and plugin.state == "loaded"]
        return [f"{part.kind}/{part.name}" for part in own]

    def asked_for(self, path: Path) -> list[Plugin]:
        """The plugins that a path given to ``load`` stands for."""
        return [plugin for plugin in self.found if plugin.named == path]

    def require(self, paths: Iterable[Path]) -> Plugins:
        """Returns itself.

        Raises:
            PluginError: a plugin at ``paths`` is broken; lists them all.
        """
        faults = [plugin.error for path in paths for plugin in self.asked_for(path) if plugin.error]
        if faults:
            raise PluginError("\n".join(faults))
        return self

    def load(self, find: Callable[[], Any], plugin: Plugin) -> None:
        """Imports a plugin's module and registers all that its hooks do, or records why that failed."""
        taken = next((other for other in self.found if other.name == plugin.name and not other.disabled), None)
        self.found.append(plugin)
        if taken:
            plugin.error = f"two plugins are called {plugin.name!r}: {taken.origin} and {plugin.origin}; rename one"
            return
        commands = dict(self.cli.commands) if self.cli else {}
        light = "keras" not in sys.modules
        try:
            with redirect_stdout(sys.stderr):  # what a plugin prints is no part of any command's output
                self._register(find(), plugin)
        except (Exception, SystemExit) as error:
            if self.manager.has_plugin(plugin.name):
                self.manager.unregister(name=plugin.name)
            self.registry.drop(plugin.name)
            if self.cli:
                self.cli.commands = commands
            plugin.error = attribution.cause(error, str(plugin))
        if light and "keras" in sys.modules:
            plugin.notes.append(
                "it imports keras when it is loaded, which slows every command down; use kerasdream.ops"
            )

    def _register(self, module: Any, plugin: Plugin) -> None:
        hooks = dict(_hooks(self.manager, module, plugin))
        self.manager.register(module, name=plugin.name)
        for name, hook in hooks.items():
            plugin.hooks.append(name)
            kind = name.removeprefix("register_")
            if kind in KINDS:
                hook(register=partial(self.registry.add, kind, plugin.name))
            elif self.cli and name == "register_commands":
                before = set(self.cli.commands)
                hook(cli=self.cli)
                for added in self.cli.commands.keys() - before:
                    attribution.command(self.cli.commands[added], str(plugin))
        if plugin.origin != BUILT_IN:
            for registration in self.registry:
                if registration.plugin == plugin.name:
                    check_registration(registration)


def load(paths: Iterable[Path] = (), cli: click.Group | None = None, *, installed: bool = True) -> Plugins:
    """Loads the built-ins, the installed plugins that ``KERASDREAM_PLUGINS`` admits, then files and folders.

    Args:
        paths: Python files, packages, or folders of Python files. One that is missing or broken is recorded, as an
            installed plugin is: ``require`` raises it.
        cli: the command line, to which plugins may add commands.
        installed: whether installed plugins are loaded.

    Raises:
        PluginError: the built-in parts cannot be loaded.
    """
    from kerasdream import __version__

    manager = pluggy.PluginManager("kerasdream")
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager, cli=cli)
    plugins.load(lambda: import_module("kerasdream.builtin"), Plugin("kerasdream", __version__))
    if plugins.broken:
        raise PluginError(plugins.found[0].error)
    selection = Selection.of(os.environ.get(SELECTION))
    entries = metadata.entry_points(group=GROUP) if installed else ()
    for entry in sorted(entries, key=lambda entry: entry.name):
        name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "")
        plugin = Plugin(entry.name, version, name)
        if selection.admits(plugin):
            plugins.load(entry.load, plugin)
        else:
            plugin.disabled = True
            plugins.found.append(plugin)
    if installed:
        plugins.found += selection.missing(plugins.found)
    seen: set[Path] = set()
    for path in dict.fromkeys(paths):
        try:
            files = plugin_files.expand(path)
        except PluginError as error:
            plugins.found.append(Plugin(path.name, file=path, named=path, error=str(error)))
            continue
        for file in files:
            if file.resolve() not in seen:
                seen.add(file.resolve())
                plugins.load(partial(plugin_files.module, file), Plugin(file.stem, file=file, named=path))
    return plugins


def _hooks(manager: pluggy.PluginManager, module: Any, plugin: Plugin) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yields the hooks a module implements, by name.

    Raises:
        PluginError: there are none, or one is misspelt, not marked, or has other parameters.
    """
    marked = {name: options for name in dir(module) if (options := manager.parse_hookimpl_opts(module, name))}
    for name in HOOKS:
        function = getattr(module, name, None)
        if name not in marked and getattr(function, "__module__", "") == getattr(module, "__name__", None):
            place = attribution.at(attribution.where(function))
            raise PluginError(
                f"{plugin} has {name}{place} without the mark of a hook; put @kerasdream.hookimpl above it"
            )
    if not marked:
        raise PluginError(f"{plugin} has no hooks; expected {', '.join(HOOKS)}, each below @kerasdream.hookimpl")
    for attribute, options in marked.items():
        name, function = options["specname"] or attribute, getattr(module, attribute)
        place = attribution.at(attribution.where(function))
        if name not in HOOKS:
            raise PluginError(f"{plugin} has the unknown hook {name!r}{place}; {did_you_mean(name, HOOKS)}")
        expected = list(inspect.signature(getattr(hookspecs, name)).parameters)
        taken = list(inspect.signature(function).parameters)
        if taken != expected:
            raise PluginError(
                f"{plugin} has the hook {name}({', '.join(taken)}){place}; expected {name}({', '.join(expected)})"
            )
        yield name, function


def check_registration(registration: Registration) -> None:
    """Makes the schema of an entry now, while it is clear who is to blame if that fails.

    Raises:
        PluginError: no schema can be made of the signature, or it does not say what the factory makes.
    """
    from pydantic import TypeAdapter, ValidationError

    from kerasdream.components import MAKES
    from kerasdream.plugins.signature import model_of

    factory, made = registration.factory, MAKES[registration.kind]
    try:
        hints = get_type_hints(factory, include_extras=True)
        if registration.kind == "outputs" and get_type_hints(factory).get("path") is not str:
            raise PluginError(
                f"{registration} must have a parameter path: str, as in "
                f'def {registration.name}(*, path: str = "{{stem}}-{registration.name}.txt") -> Output'
            )
        if hints.get("return") in made:
            model_of(registration).model_json_schema(by_alias=True)
            for parameter in inspect.signature(factory).parameters.values():
                if parameter.default is not parameter.empty:
                    TypeAdapter(hints[parameter.name]).validate_python(parameter.default)
            return
    except PluginError:
        raise
    except ValidationError as error:
        raise PluginError(
            f"{registration}: the default of {parameter.name!r} is {parameter.default!r}, which its annotation does "
            f"not allow: {error.errors()[0]['msg'].removeprefix('Input ')}"
        ) from None
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise PluginError(f"{registration} has a signature that cannot stand in a run file: {reason}") from error
    raise PluginError(
        f"{registration} must be annotated with what it makes, as in def {registration.name}(...) -> {made[0].__name__}"
    )


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
