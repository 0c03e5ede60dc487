"""Load the plugins of a run: those installed, those given by the caller, and those that the run file names."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from kerasdream._files import at_home
from kerasdream.config.document import KeyPath
from kerasdream.config.messages import Errors
from kerasdream.config.overrides import OverridePlace, typed
from kerasdream.errors import Place, Problem, setting
from kerasdream.plugins.manager import discover
from kerasdream.plugins.registry import Registry

Trust = Literal["none", "folder", "anywhere"]
"""Which plugin files that a run file names are loaded: they are code that runs."""


@dataclass(frozen=True)
class LoadedPlugins:
    """The plugins of a run.

    Attributes:
        files: the plugin files, without duplicates.
        complete: whether all of them were loaded.
        unused: the names of plugins that are disabled or failed to load.
        distributions: plugin → its installed distribution and the version.
    """

    registry: Registry
    files: tuple[Path, ...]
    complete: bool
    unused: tuple[str, ...]
    distributions: Mapping[str, tuple[str, str]]


def load_plugins(
    named: Sequence[str] | None, base: Path, given: Sequence[Path], trust: Trust, errors: Errors
) -> LoadedPlugins:
    """Load the plugin files that the caller gave, and those that the run file names where they are trusted.

    Args:
        named: the ``plugins`` of the run file; None if they are not valid.
        given: files that are loaded from anywhere.
    """
    before = len(errors.problems)
    places: dict[Path, int] = {}
    for index, name in enumerate(named or ()):
        path = Path(os.path.normpath(base / at_home(name)))
        if trust == "none" and path.name in [file.name for file in given]:
            continue
        if _trusted(index, name, path, base, trust, errors):
            places.setdefault(path, index)
    files = tuple({path.resolve(): path for path in (*given, *places)}.values())
    loaded = discover(files)
    for path in files:
        for plugin in loaded.plugins_at(path):
            if plugin.error and path in places:
                errors.add(("plugins", places[path]), plugin.error)
            elif plugin.error:
                errors.problems.append(
                    Problem((), Place(setting(f"--plugin {path}", f"plugins: {path}")), plugin.error)
                )
    return LoadedPlugins(
        loaded.registry,
        files,
        complete=named is not None and len(errors.problems) == before,
        unused=tuple(plugin.name for plugin in loaded.found if plugin.error or plugin.disabled),
        distributions={p.name: (p.distribution, p.version) for p in loaded.found if p.distribution and not p.error},
    )


def check_code(path: KeyPath, file: Path, base: Path, trust: Trust, errors: Errors) -> None:
    """Report a Python file that a run file names if it may not be run; one that an override names may be anywhere.

    Args:
        path: the place of the file's name in the run file.
    """
    if trust == "anywhere" or isinstance(errors.document.where(path), OverridePlace):
        return
    named, key = file.name, ".".join(map(str, path))
    trusting = setting("use --trust", "pass trust=True")
    if trust == "none":
        errors.add(
            path,
            f"{named} is code that runs, so a recipe from a picture does not run it; name the file with "
            f"{typed(f'{key}={named}')}, or {trusting} to run {named} from the picture's folder",
        )
    elif not file.resolve().is_relative_to(base.resolve()):
        errors.add(
            path,
            f"{named} is outside the run file's folder, and it is code that runs; copy it into that folder, name it "
            f"with {typed(f'{key}={file}')}, or {trusting}",
        )


def _naming() -> str:
    return setting("with --plugin, or use --trust", "in plugins=[...], or pass trust=True")


def _trusted(index: int, name: str, path: Path, base: Path, trust: Trust, errors: Errors) -> bool:
    """Whether a plugin file that the run file names may be loaded; reports an error if not."""
    if trust == "none":
        errors.add(
            ("plugins", index),
            f"{name} is a plugin, which is code that runs, so a recipe from a picture does not load it; name the file "
            f"{_naming()} to load {name} from the picture's folder",
        )
        return False
    inside = all(file.resolve().is_relative_to(base.resolve()) for file in (path, *path.glob("*.py")))
    if trust == "folder" and not inside:
        errors.add(
            ("plugins", index),
            f"{name} is outside the run file's folder, and a plugin is code that runs; copy it into that folder, name "
            f"it {_naming()}",
        )
        return False
    return True
