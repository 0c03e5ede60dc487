"""Presets: published recipes as run files, each a YAML file in this folder, for other run files to start from.

The first line of a preset's comment is its summary. A preset may itself start from another one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kerasdream.config.document import KeyPath, YamlDocument, parse
from kerasdream.config.sections import SECTIONS, written_out
from kerasdream.errors import ConfigError, Problem, did_you_mean

KEY = "preset"
"""The key of a run file that names its preset."""

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


def summary(name: str) -> str:
    """Return a preset's title and source, on one line."""
    return text(name).partition("\n")[0].lstrip("# ")


def with_preset(document: YamlDocument) -> YamlDocument:
    """Return a run file merged with the preset that it names; unchanged if it names none.

    Settings in the run file take precedence. Sections (``image``, ``octaves``, ...) are merged key by key; lists, parts
    and all other settings are replaced as a whole.

    Raises:
        ConfigError: no preset has this name.
    """
    own: dict[str, Any] = dict(document.data)
    if KEY not in own:
        return document
    name = str(own.pop(KEY))
    try:
        preset = with_preset(parse(text(name), f"preset {name}"))
    except ConfigError as error:
        raise ConfigError.of([Problem((KEY,), document.where((KEY,)), str(error))]) from None
    data: dict[str, Any] = dict(preset.data)
    replaced: list[KeyPath] = []
    for key, given in own.items():
        value = written_out(key, given)
        if key in SECTIONS and isinstance(value, dict) and isinstance(data.get(key), dict):
            data[key] = {**data[key], **value}
            replaced += [(key, inner) for inner in value]
        else:
            data[key] = value
            replaced.append((key,))
    marks = {path: mark for path, mark in preset.marks.items() if not any(path[: len(r)] == r for r in replaced)}
    return YamlDocument(data, document.name, {**marks, **document.marks})
