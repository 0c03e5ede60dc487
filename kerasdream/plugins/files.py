"""Plugins that are not installed: a Python file, a package, or a folder of Python files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from kerasdream.errors import PluginError

NO_PLUGINS = ("_*.py", "test_*.py", "conftest.py", "setup.py")
"""Files in a folder of plugins that are none."""


def expand(path: Path) -> list[Path]:
    """Returns the plugins that a path names: itself if it is a file or a package, else the Python files in the folder.

    Raises:
        PluginError: there is nothing of the kind.
    """
    if path.is_file() and path.suffix == ".py":
        return [path]
    if (path / "__init__.py").is_file():
        return [path]
    if not path.is_dir():
        raise PluginError(
            f"the plugin {path} does not exist"
            if not path.exists()
            else f"{path} is no plugin; expected a Python file (.py), a package or a folder of Python files"
        )
    files = [file for file in sorted(path.glob("*.py")) if not any(file.match(pattern) for pattern in NO_PLUGINS)]
    if not files:
        raise PluginError(
            f"the plugin folder {path} has no Python files (those that begin with _ or test_ are left out)"
        )
    return files


def contents(path: Path) -> list[Path]:
    """Returns the files that a plugin file, a package or a folder of Python files is made of, for its checksum.

    Raises:
        PluginError: there is nothing of the kind.
    """
    found = []
    for plugin in expand(path):
        inner = plugin.rglob("*") if plugin.is_dir() else [plugin]
        found += sorted(file for file in inner if file.is_file() and "__pycache__" not in file.parts)
    return found


def module(path: Path) -> ModuleType:
    """Imports a plugin file or package under a name of its own."""
    name = f"kerasdream_plugin_{path.stem}"
    package = path.is_dir()
    spec = importlib.util.spec_from_file_location(
        name, path / "__init__.py" if package else path, submodule_search_locations=[str(path)] if package else None
    )
    assert spec is not None
    assert spec.loader is not None
    for stale in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[stale]  # of another plugin with the same file name
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made  # annotations are resolved through it
    try:
        spec.loader.exec_module(made)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return made
