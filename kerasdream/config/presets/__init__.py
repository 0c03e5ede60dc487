"""Presets: published recipes as run files, each a YAML file in this folder, that a run starts from and overrides.

The first line of a preset's comment says what it is; a preset may start from another one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from kerasdream.config import document as source
from kerasdream.errors import ConfigError, did_you_mean

KEY = "preset"
"""The key of a run file that names the preset it starts from."""

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Returns the names of all presets."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def text(name: str) -> str:
    """Returns a preset's YAML.

    Raises:
        ConfigError: there is no such preset.
    """
    if name not in names():
        raise ConfigError(f"unknown preset {name!r}; {did_you_mean(name, names(), show=20)}")
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")


def summary(name: str) -> str:
    """Returns what a preset is and where it is from, on one line."""
    return text(name).partition("\n")[0].lstrip("# ")


def with_preset(document: source.Document) -> source.Document:
    """Returns a run file merged with the preset that it names; as it is, if it names none.

    What the run file says goes first. Sections (``image``, ``octaves``, ...) are merged key by key; lists, parts and
    whatever else is there are taken whole.

    Raises:
        ConfigError: there is no such preset.
    """
    from kerasdream.config.run_config import SECTIONS, SHORT

    own: dict[str, Any] = dict(document.data)
    if KEY not in own:
        return document
    name = own.pop(KEY)
    try:
        preset = with_preset(source.parse(text(str(name)), f"preset {name}"))
    except ConfigError as error:
        raise ConfigError(f"{document.where((KEY,))}: {KEY}: {error}") from None
    data, hidden = dict(preset.data), []
    for key, value in own.items():
        if key in SECTIONS and isinstance(value, str) and key in SHORT:
            value = {SHORT[key]: value}
        if key in SECTIONS and isinstance(value, dict) and isinstance(data.get(key), dict):
            data[key] = {**data[key], **value}
            hidden += [(key, inner) for inner in value]
        else:
            data[key] = value
            hidden.append((key,))
    marks = {path: mark for path, mark in preset.marks.items() if not any(path[: len(h)] == h for h in hidden)}
    return source.Document(data, document.name, {**marks, **document.marks})
