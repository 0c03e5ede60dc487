"""Presets: run files for other run files to start from. Published recipes are YAML files in this folder.

The first line of a published preset's comment is its summary. A preset may itself start from another one.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from kerasdream._files import at_home
from kerasdream.config.document import KeyPath, YamlDocument, parse, read
from kerasdream.config.sections import ONE_OF, SECTIONS, written_out
from kerasdream.errors import ConfigError, Problem, did_you_mean

KEY = "preset"
"""The key of a run file that names its preset."""

FILE = r"\.[yY][aA]?[mM][lL]$"
"""Pattern of the names of files, as opposed to those of published presets."""

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Return the names of all presets."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text(name: str) -> str:
    """Return a preset's YAML.

    Raises:
        ConfigError: no preset has this name.
    """
    if name not in names():
        raise ConfigError(f"unknown preset {name!r}; {did_you_mean(name, names(), show=20)}")
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def is_file(name: str) -> bool:
    """Whether a preset is a file of the user's, rather than a published one."""
    return re.search(FILE, name) is not None


def summary(name: str) -> str:
    """Return a preset's title and source, on one line."""
    return text(name).partition("\n")[0].lstrip("# ")


def with_preset(
    document: YamlDocument, base: Path, *, files: bool = True, within: tuple[Path, ...] = ()
) -> YamlDocument:
    """Return a run file merged with the preset that it names; unchanged if it names none.

    Settings in the run file take precedence. Sections (``image``, ``octaves``, ...) are merged key by key; lists, parts
    and all other settings are replaced as a whole.

    Args:
        base: the folder that the path of a preset is relative to.
        files: whether it may be a file.
        within: the preset files that led to this one.

    Raises:
        ConfigError: there is no such preset, it is not a run file, or it starts from itself.
    """
    own: dict[str, Any] = dict(document.data)
    name = own.pop(KEY, None)
    if name is None:
        return replace(document, data=own)
    preset = _read(str(name), document, base, files, within)
    data: dict[str, Any] = dict(preset.data)
    replaced: list[KeyPath] = []
    for key, given in own.items():
        value = written_out(key, given)
        if key in SECTIONS and isinstance(value, dict) and isinstance(data.get(key), dict):
            data[key] = {**_compatible(data[key], value), **value}
            replaced += [(key, inner) for inner in value]
        else:
            data[key] = value
            replaced.append((key,))
    marks = {path: mark for path, mark in preset.marks.items() if not any(path[: len(r)] == r for r in replaced)}
    folders = {**preset.folders, **document.folders}
    return YamlDocument(data, document.name, {**marks, **document.marks}, folders)


def _compatible(section: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Return a section of a preset without what cannot go together with the value that is merged into it."""
    rivals = {ours: theirs for ours, theirs in ONE_OF.items() if value.get(ours) is not None}
    return {key: setting for key, setting in section.items() if key not in rivals.values()}


def _read(name: str, document: YamlDocument, base: Path, files: bool, within: tuple[Path, ...]) -> YamlDocument:
    """Return the preset that a document names, merged with the one that it starts from itself."""

    def problem(reason: str) -> ConfigError:
        return ConfigError.of([Problem((KEY,), document.where((KEY,)), reason)])

    if not is_file(name):
        try:
            return with_preset(parse(text(name), f"preset {name}"), base)
        except ConfigError as error:
            raise problem(str(error)) from None
    if not files:
        raise problem(f"{name} is a file, which a recipe does not start from")
    path = base / at_home(name)
    try:
        if (whole := path.resolve()) in within:
            chain = " -> ".join(file.name for file in (*within[within.index(whole) :], whole))
            raise problem(f"a preset cannot start from itself ({chain}); remove one of these keys")
        preset = read(path)
    except FileNotFoundError:
        siblings = sorted(file.name for file in path.parent.glob("*.y*ml"))
        raise problem(f"there is no such file {name}; {did_you_mean(path.name, [*siblings, *names()])}") from None
    except (OSError, ValueError) as error:
        raise problem(f"{name} cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if not isinstance(preset.data, dict):
        raise problem(f"{name} is not a run file; expected a mapping of settings (key: value)")
    preset = replace(preset, folders={preset.name: path.parent})
    return with_preset(preset, path.parent, within=(*within, whole))
