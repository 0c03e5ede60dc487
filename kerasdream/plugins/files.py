"""Plugins that are not installed: a Python file, a package, or a folder of Python files."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from kerasdream.errors import PluginError

SKIPPED = ("_*.py", "test_*.py", "conftest.py", "setup.py")
"""File-name patterns skipped in a plugin folder."""


def expand(path: Path) -> list[Path]:
    """Return the plugins at a path: the path itself if it is a Python file or package, else the folder's Python files.

    Raises:
        PluginError: there are none.
    """
    if path.is_file() and path.suffix == ".py":
        return [path]
    if (path / "__init__.py").is_file():
        return [path]
    if not path.is_dir():
        raise PluginError(
            f"the plugin {path} does not exist"
            if not path.exists()
            else f"{path} is not a plugin: expected a .py file, a package or a folder of .py files"
        )
    files = [file for file in sorted(path.glob("*.py")) if not any(file.match(pattern) for pattern in SKIPPED)]
    if not files:
        raise PluginError(f"the plugin folder {path} has no Python files (names starting with _ or test_ are skipped)")
    return files


def contents(path: Path) -> list[Path]:
    """Return every file of the plugins at a path, for their checksum.

    Raises:
        PluginError: there are none.
    """
    found = []
    for plugin in expand(path):
        inner = plugin.rglob("*") if plugin.is_dir() else [plugin]
        found += sorted(file for file in inner if file.is_file() and "__pycache__" not in file.parts)
    return found


def module(path: Path) -> ModuleType:
    """Import a plugin file or package under a unique module name."""
    name = f"kerasdream_plugin_{path.stem}"
    package = path.is_dir()
    spec = importlib.util.spec_from_file_location(
        name, path / "__init__.py" if package else path, submodule_search_locations=[str(path)] if package else None
    )
    assert spec is not None
    assert spec.loader is not None
    for stale in [known for known in sys.modules if known == name or known.startswith(f"{name}.")]:
        del sys.modules[stale]  # left by another plugin with the same file name
    made = importlib.util.module_from_spec(spec)
    sys.modules[name] = made  # get_type_hints resolves annotations through it
    try:
        spec.loader.exec_module(made)
    except BaseException:
        sys.modules.pop(name, None)
        raise
    return made
