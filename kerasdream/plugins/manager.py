"""Find and load plugins: the built-ins, installed distributions, and files named in a run file or on the command line.

Each plugin is loaded, and each of its hooks called, separately: a broken plugin is recorded with its cause and does not
stop the others.
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
from typing import Any

import click
import pluggy

from kerasdream import hookspecs
from kerasdream.errors import PluginError, did_you_mean
from kerasdream.hookspecs import GROUP
from kerasdream.plugins import attribution
from kerasdream.plugins import files as plugin_files
from kerasdream.plugins.registry import KINDS, Registry
from kerasdream.plugins.signature import check_signature

BUILT_IN = "built in"
BUILT_INS = "kerasdream.builtin"
"""The module of the built-in parts, loaded by name like any other plugin."""

HOOKS = [name for name in vars(hookspecs) if name.startswith("register_")]
SELECTION = "KERASDREAM_PLUGINS"
"""The environment variable that selects which installed plugins are loaded; see ``Selection``."""


@dataclass
class Plugin:
    """A plugin that was found, loaded or not.

    Attributes:
        name: of the entry point or the file.
        version, distribution: of an installed plugin.
        file: the path of a plugin that is not installed.
        named: the path given by the user: ``file``, or the folder it is in.
        hooks: the hooks it implements.
        notes: advice for its author.
        error: why it is broken; "" if it is not.
        disabled: whether ``KERASDREAM_PLUGINS`` excludes it.
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
        """Where it comes from, in words."""
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
    """Which installed plugins are loaded, as ``KERASDREAM_PLUGINS`` selects them.

    The variable holds names of plugins or distributions, separated by commas: ``film_grain,sparkle`` loads only these
    two, ``-film_grain`` all but this one, and an empty value none. If it is not set, all are loaded.
    """

    only: frozenset[str] | None
    without: frozenset[str]

    @classmethod
    def of(cls, text: str | None) -> Selection:
        """Parse the variable's value; ``text`` is None if it is not set."""
        names = [name.strip() for name in (text or "").split(",") if name.strip()]
        without = frozenset(_normal(name[1:]) for name in names if name.startswith("-"))
        only = frozenset(_normal(name) for name in names if not name.startswith("-"))
        return cls(None if text is None or (without and not only) else only, without)

    def admits(self, plugin: Plugin) -> bool:
        """Whether to load an installed plugin."""
        names = {_normal(plugin.name), _normal(plugin.distribution)}
        return (self.only is None or bool(names & self.only)) and not names & self.without

    def missing(self, found: Iterable[Plugin]) -> Iterator[Plugin]:
        """Yield, as broken, each plugin that is selected but not installed."""
        known = {_normal(name): name for plugin in found for name in (plugin.name, plugin.distribution) if name}
        for name in sorted((self.only or frozenset()) - known.keys()):
            near = did_you_mean(name, sorted(known.values()))
            yield Plugin(name, error=f"{SELECTION} names {name!r}, which is not installed; {near}")


@dataclass
class Plugins:
    """The plugins found, and the parts registered by those that could be loaded."""

    manager: pluggy.PluginManager
    registry: Registry = field(default_factory=Registry)
    found: list[Plugin] = field(default_factory=list)
    cli: click.Group | None = None

    @property
    def broken(self) -> list[Plugin]:
        """The plugins that could not be loaded."""
        return [plugin for plugin in self.found if plugin.error]

    def parts_of(self, plugin: Plugin) -> list[str]:
        """Return what a plugin has registered, as ``objectives/l2``."""
        own = [part for part in self.registry if part.plugin == plugin.name and plugin.state == "loaded"]
        return [f"{part.kind}/{part.name}" for part in own]

    def plugins_at(self, path: Path) -> list[Plugin]:
        """Return the plugins that a path given to ``discover`` stands for."""
        return [plugin for plugin in self.found if plugin.named == path]

    def require(self, paths: Iterable[Path]) -> Plugins:
        """Return self.

        Raises:
            PluginError: plugins at ``paths`` are broken; lists all of them.
        """
        errors = [plugin.error for path in paths for plugin in self.plugins_at(path) if plugin.error]
        if errors:
            raise PluginError("\n".join(errors))
        return self

    def add(self, find: Callable[[], Any], plugin: Plugin) -> None:
        """Import a plugin's module and call its hooks, or record why that failed."""
        taken = next((other for other in self.found if other.name == plugin.name and not other.disabled), None)
        self.found.append(plugin)
        if taken:
            plugin.error = f"two plugins are called {plugin.name!r}: {taken.origin} and {plugin.origin}; rename one"
            return
        commands = dict(self.cli.commands) if self.cli else {}
        light = "keras" not in sys.modules
        try:
            with redirect_stdout(sys.stderr):  # keep what a plugin prints out of a command's output
                self._register(find(), plugin)
        except (Exception, SystemExit) as error:
            if self.manager.has_plugin(plugin.name):
                self.manager.unregister(name=plugin.name)
            self.registry.drop(plugin.name)
            if self.cli:
                self.cli.commands = commands
            plugin.error = attribution.cause(error, str(plugin))
        if light and "keras" in sys.modules:
            plugin.notes.append("it imports keras when loaded, which slows every command down; use kerasdream.ops")

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
                    attribution.attribute_command(self.cli.commands[added], str(plugin))
        if plugin.origin != BUILT_IN:
            for registration in self.registry:
                if registration.plugin == plugin.name:
                    check_signature(registration)


def discover(paths: Iterable[Path] = (), cli: click.Group | None = None, *, installed: bool = True) -> Plugins:
    """Load the built-ins, the installed plugins that ``KERASDREAM_PLUGINS`` admits, then files and folders.

    Args:
        paths: Python files, packages, or folders of Python files. A missing or broken one is recorded, like a broken
            installed plugin; ``require`` raises it.
        cli: the command line, to which plugins may add commands.
        installed: whether to load installed plugins.

    Raises:
        PluginError: the built-in parts cannot be loaded.
    """
    manager = pluggy.PluginManager("kerasdream")
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager, cli=cli)
    plugins.add(partial(import_module, BUILT_INS), Plugin("kerasdream", metadata.version("kerasdream")))
    if plugins.broken:
        raise PluginError(plugins.found[0].error)
    if installed:
        _add_installed(plugins)
    _add_files(plugins, paths)
    return plugins


def _add_installed(plugins: Plugins) -> None:
    selection = Selection.of(os.environ.get(SELECTION))
    entries = metadata.entry_points(group=GROUP)
    for entry in sorted(entries, key=lambda entry: entry.name):
        name, version = (entry.dist.name, entry.dist.version) if entry.dist else ("unknown", "")
        plugin = Plugin(entry.name, version, name)
        if selection.admits(plugin):
            plugins.add(entry.load, plugin)
        else:
            plugin.disabled = True
            plugins.found.append(plugin)
    plugins.found += selection.missing(plugins.found)


def _add_files(plugins: Plugins, paths: Iterable[Path]) -> None:
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
                plugins.add(partial(plugin_files.module, file), Plugin(file.stem, file=file, named=path))


def _hooks(manager: pluggy.PluginManager, module: Any, plugin: Plugin) -> Iterator[tuple[str, Callable[..., Any]]]:
    """Yield the hooks a module implements, by name.

    Raises:
        PluginError: it has none, or one is misspelt, lacks ``@hookimpl`` or has the wrong parameters.
    """
    marked = {name: options for name in dir(module) if (options := manager.parse_hookimpl_opts(module, name))}
    for name in HOOKS:
        function: Any = getattr(module, name, None)
        if name not in marked and getattr(function, "__module__", "") == getattr(module, "__name__", None):
            place = attribution.at(attribution.where(function))
            raise PluginError(f"{plugin} has {name}{place} without @kerasdream.hookimpl; add the decorator above it")
    if not marked:
        raise PluginError(
            f"{plugin} has no hooks; expected {', '.join(HOOKS)}, decorated with @kerasdream.hookimpl. A file that "
            "defines the layers of a model file belongs to the model: model: {file: my_model.keras, code: my_layers.py}"
        )
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


def _normal(name: str) -> str:
    return name.lower().replace("_", "-")
