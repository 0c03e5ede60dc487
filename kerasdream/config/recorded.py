"""What the recipe in a picture may name: files next to the picture whose checksums it records, and nothing else.

A picture may come from anyone. Its recipe was written with base names alone, so one with folders in them was made up.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from kerasdream._files import is_regular, is_too_long, open_regular
from kerasdream.config.messages import shown
from kerasdream.config.overrides import typed
from kerasdream.errors import ConfigError, setting
from kerasdream.images.masks import Mask
from kerasdream.plugins import files as plugin_files

MOST_FILES = 50_000
"""Files in a folder of which a checksum is taken."""


@dataclass(frozen=True)
class Recorded:
    """The files that a picture says it was made from.

    Attributes:
        picture: the picture.
        files: base name of a file or folder of a part -> SHA-256.
        plugins: base name of a plugin -> SHA-256.
    """

    picture: Path
    files: Mapping[Any, Any] = field(default_factory=dict)
    plugins: Mapping[Any, Any] = field(default_factory=dict)

    def refused(self, name: str) -> str:
        """Return why the recipe may not name a file for one of its parts; nothing if it may."""
        if reason := not_a_base_name(name):
            return f"{reason}; {self._way_on()}"
        if name not in self.files:
            return f"{self.picture.name} records no checksum of {shown(name)}, so it may be any file; {self._way_on()}"
        file = self.picture.parent / name
        if not file.exists():
            return f"the file {name!r}, which {self.picture.name} was made with, is not in its folder"
        if not _is_the_same(file, self.files[name]):
            return f"{file} is not the file that {self.picture.name} was made with (its checksum differs)"
        return ""

    def check_photo(self, named: Any, facts: Any) -> None:
        """Check that the photo is in the picture's folder, and the one that the recipe was made with.

        Args:
            named: ``image.source`` of the recipe.
            facts: what the picture says of its photo: ``name`` and ``sha256``.

        Raises:
            ConfigError: it is not.
        """
        name: Any = facts.get("name") if isinstance(facts, dict) else None
        if named == name == "noise":
            return
        if not isinstance(facts, dict) or "sha256" not in facts:
            raise ConfigError(
                f"{self.picture} was dreamed from an array in Python, not from a file; name a file: "
                f"{typed('image.source=PHOTO')}"
            )
        if reason := not_a_base_name(name):
            raise ConfigError(f"{self.picture}: its photo: {reason}; name it: {typed('image.source=PHOTO')}")
        photo = self.picture.parent / name
        if not is_regular(photo):
            raise ConfigError(
                f"the photo {name!r} is not in the folder of {self.picture}; name it: {typed('image.source=PHOTO')}"
            )
        if not _is_the_same(photo, facts["sha256"]):
            raise ConfigError(
                f"{photo} is not the photo that {self.picture.name} was made from (its checksum differs); to dream it "
                f"anyway: {typed(f'image.source={photo}')}"
            )
        if named != name:
            raise ConfigError(
                f"{self.picture}: its recipe dreams {shown(named)}, but it was made from {shown(name)}; name it: "
                f"{typed('image.source=PHOTO')}"
            )

    def check_plugins(self, named: Any) -> None:
        """Check that the plugins of the recipe are in the picture's folder, and those that it was made with.

        Raises:
            ConfigError: one is not.
        """
        for name in named if isinstance(named, list) else ():
            if reason := not_a_base_name(name):
                raise ConfigError(f"{self.picture}: a plugin of its recipe: {reason}; {_naming(name)}")
            if name not in self.plugins:
                text = f"{self.picture.name} records no checksum of the plugin {name}, so it may be any file"
                raise ConfigError(f"{text}; {_naming(name)}")
            path = self.picture.parent / name
            if path.exists() and plugin_checksum(path) != self.plugins[name]:
                raise ConfigError(
                    f"{path} is not the plugin that {self.picture.name} was made with (its checksum differs); to use "
                    f"it anyway, replace --trust with --plugin {path}"
                )

    def _way_on(self) -> str:
        """Return what to do about a recipe that names more than a stranger's may."""
        return f"if you trust it, make it a run file of yours: kerasdream show --run-file {self.picture} > dream.yaml"


def _is_the_same(file: Path, expected: Any) -> bool:
    """Whether a file or folder that can be read has this checksum."""
    try:
        return bool(checksum(file) == expected)
    except OSError:
        return False


def not_a_base_name(name: Any) -> str:
    """Return why a text is not the name of a file in the picture's own folder; nothing if it is."""
    outside = not isinstance(name, str) or name in ("", ".", "..") or name.startswith("~")
    if outside or Path(name).name != name or "\\" in name or is_too_long(name):
        return f"{shown(name)} is no name of a file next to the picture, and a recipe from a picture names no others"
    return ""


def files_in(value: Any) -> Iterator[tuple[tuple[str | int, ...], Path]]:
    """Yield the place and the path of each file in the value of a parameter."""
    if isinstance(value, Path):
        yield (), value
    elif isinstance(value, Mask):
        yield from [(("path",), value.path)] if value.path else []
    elif isinstance(value, dict):
        yield from (((key,), each) for key, each in value.items() if isinstance(each, Path))
    elif isinstance(value, (list, tuple)):
        yield from (((index,), each) for index, each in enumerate(value) if isinstance(each, Path))


def checksum(file: Path, files: Iterable[Path] | None = None) -> str:
    """Return the SHA-256 of a file, in hexadecimal; for a folder, of the names and checksums of its files.

    Args:
        files: the files of a folder to include; by default all.

    Raises:
        ConfigError: a folder has more than ``MOST_FILES`` files.
        OSError: a file is not regular, or cannot be read.
    """
    digest = hashlib.sha256()
    if file.is_dir():
        for inner in _files_below(file) if files is None else files:
            digest.update(f"{inner.relative_to(file).as_posix()} {checksum(inner)}\n".encode())
        return digest.hexdigest()
    with open_regular(file) as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _files_below(folder: Path) -> list[Path]:
    found = list(islice(folder.rglob("*"), MOST_FILES + 1))
    if len(found) > MOST_FILES:
        raise ConfigError(f"{folder} has more than {MOST_FILES:,} files; name a smaller folder")
    return sorted(path for path in found if path.is_file())


def plugin_checksum(path: Path) -> str:
    """Return the SHA-256 of a plugin that is not installed: a file, a package or a folder of Python files.

    Raises:
        PluginError: there is no plugin at this path.
    """
    return checksum(path, plugin_files.contents(path))


def _naming(name: Any) -> str:
    return "name it yourself, " + setting(f"with --plugin {name}", f"in plugins=[{name!r}]")
