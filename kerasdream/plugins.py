"""Finding and loading plugins: the built-ins, installed distributions, and files named in a run file.

Every plugin is loaded, and each of its hooks called, by itself: a broken one is put on record with its cause and does
not stop those after it.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_type_hints

import pluggy

from kerasdream import hookspecs
from kerasdream.errors import PluginError, did_you_mean
from kerasdream.registry import KINDS, Registration, Registry

if TYPE_CHECKING:
    import click

GROUP = "kerasdream"
BUILT_IN = "built in"


@dataclass
class Plugin:
    """A plugin as found: ``error`` says why it is not in use, if it is not."""

    name: str
    version: str = ""
    origin: str = ""
    hooks: list[str] = field(default_factory=list)
    error: str = ""


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

    def load(self, find: Callable[[], Any], plugin: Plugin) -> None:
        """Imports a plugin's module and registers all that its hooks do, or records why that failed."""
        taken = next((other for other in self.found if other.name == plugin.name), None)
        self.found.append(plugin)
        if taken:
            plugin.error = f"two plugins are called {plugin.name!r}: {taken.origin} and {plugin.origin}; rename one"
            return
        commands = dict(self.cli.commands) if self.cli else {}
        try:
            self._register(find(), plugin)
        except (Exception, SystemExit) as error:
            if self.manager.has_plugin(plugin.name):
                self.manager.unregister(name=plugin.name)
            self.registry.drop(plugin.name)
            if self.cli:
                self.cli.commands = commands
            plugin.error = _cause(error, plugin)

    def _register(self, module: Any, plugin: Plugin) -> None:
        self.manager.register(module, name=plugin.name)
        callers = self.manager.get_hookcallers(module) or ()
        if not callers:
            raise PluginError(
                f"the plugin {plugin.name!r} ({plugin.origin}) has no hooks; put @kerasdream.hookimpl above its "
                "register_... functions"
            )
        for caller in callers:
            plugin.hooks.append(caller.name)
            if not caller.has_spec():
                known = [name for name in vars(hookspecs) if name.startswith("register_")]
                raise PluginError(
                    f"the plugin {plugin.name!r} ({plugin.origin}) has the unknown hook {caller.name!r}; "
                    f"{did_you_mean(caller.name, known)}"
                )
            hook = next(hook.function for hook in caller.get_hookimpls() if hook.plugin is module)
            kind = caller.name.removeprefix("register_")
            if kind in KINDS:
                hook(register=partial(self.registry.add, kind, plugin.name))
            elif self.cli and caller.name == "register_commands":
                hook(cli=self.cli)
        if plugin.origin != BUILT_IN:
            for registration in self.registry:
                if registration.plugin == plugin.name:
                    _check(registration)


def load(files: Iterable[Path] = (), cli: click.Group | None = None) -> Plugins:
    """Loads the built-ins, every installed plugin, then ``files``.

    Args:
        cli: the command line, to which plugins may add commands.

    Raises:
        PluginError: a file of ``files`` is missing or broken (an installed plugin that is broken is only recorded).
    """
    from kerasdream import __version__

    manager = pluggy.PluginManager("kerasdream")
    manager.add_hookspecs(hookspecs)
    plugins = Plugins(manager, cli=cli)
    plugins.load(lambda: import_module("kerasdream.builtins"), Plugin("kerasdream", __version__, BUILT_IN))
    for entry in sorted(metadata.entry_points(group=GROUP), key=lambda entry: entry.name):
        origin, version = (f"distribution {entry.dist.name}", entry.dist.version) if entry.dist else ("", "")
        plugins.load(entry.load, Plugin(entry.name, version, origin))
    needed = plugins.found[:1]
    for file in dict.fromkeys(files):
        plugins.load(partial(_module, file), Plugin(file.stem, "", f"file {file}"))
        needed.append(plugins.found[-1])
    for plugin in needed:
        if plugin.error:
            raise PluginError(plugin.error)
    return plugins


def _module(file: Path) -> ModuleType:
    """Imports a plugin file under a name of its own."""
    name = f"kerasdream_plugin_{file.stem}"
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None or not file.is_file():
        raise PluginError(f"the plugin file {file} does not exist or is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # annotations are resolved through it
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _check(registration: Registration) -> None:
    """Makes the schema of an entry now, while it is clear who is to blame if that fails."""
    from kerasdream.components import MAKES
    from kerasdream.parameters import model_of

    factory, made = registration.factory, MAKES.get(registration.kind, ())
    who = f"plugin {registration.plugin!r}: {registration.name!r}"
    try:
        if not made or get_type_hints(factory).get("return") in made:
            model_of(registration)
            return
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise PluginError(f"{who} has a signature that cannot stand in a run file: {reason}") from error
    raise PluginError(
        f"{who} must be annotated with what it makes, as in def {registration.name}(...) -> {made[0].__name__}"
    )


def _cause(error: BaseException, plugin: Plugin) -> str:
    """One line: which plugin, where in it, what happened."""
    frames = traceback.extract_tb(error.__traceback__)
    loaders = "<", str(Path(__file__).parent), str(Path(importlib.__file__).parent)
    frames = [frame for frame in frames if not frame.filename.startswith(loaders)]
    where = ""
    if frames:  # the first is the plugin's; of those behind it, the last that is no library's
        home = frames[0].filename.removesuffix("__init__.py")
        own = [frame for frame in frames if frame.filename.startswith(home)]
        where = f" at {own[-1].filename}:{own[-1].lineno}"
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    text = " ".join(lines) or type(error).__name__
    if isinstance(error, PluginError):
        return text
    return f"the plugin {plugin.name!r} ({plugin.origin}) failed to load{where}: {type(error).__name__}: {text}"
