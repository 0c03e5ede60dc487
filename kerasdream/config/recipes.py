"""Run files and the recipes inside finished pictures: both lead to a RunConfig."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasdream.config import document as source
from kerasdream.config.messages import shown
from kerasdream.config.run_config import RunConfig, load, resolve
from kerasdream.errors import ConfigError, ImageError
from kerasdream.images import read_recipe
from kerasdream.plugins import files as plugin_files

PICTURES = (".png", ".jpg", ".jpeg", ".gif")


def load_any(
    file: Path, overrides: Iterable[str] = (), *, plugins: Sequence[Path] = (), trust: bool = False
) -> RunConfig:
    """Loads a run file, or the recipe inside a picture.

    A recipe names its source by base name: the photo is looked for beside the picture, and has to be the same one,
    unless ``image.source`` is overridden. It loads no plugin files, unless they are trusted, and the same as then;
    those in ``plugins`` are loaded as they are.

    Args:
        overrides, plugins, trust: see ``kerasdream.config.run_config.load``.

    Raises:
        ConfigError: with every fault found.
        ImageError: the picture holds no recipe.
    """
    overrides = list(overrides)
    if file.suffix.lower() not in PICTURES:
        return load(file, overrides, plugins=plugins, trust=trust)
    manifest = source.parse(recipe_in(file), f"{file} (its recipe)")
    if not isinstance(manifest.data, dict) or not isinstance(manifest.data.get("recipe"), dict):
        raise ConfigError(f"{file}: the recipe inside is not one that this kerasdream can read")
    marks = {path[1:]: where for path, where in manifest.marks.items() if path[:1] == ("recipe",)}
    document = source.Document(manifest.data["recipe"], manifest.name, marks)
    if not any(override.startswith(("image=", "image.source=")) for override in overrides):
        _check_source(file, manifest.data.get("source"))
    if not any(override.startswith("model") for override in overrides):
        _check_files(file, manifest.data.get("files"))
    if trust:
        _check_plugins(file, manifest.data.get("plugins"))
    return resolve(document, file.parent, overrides, plugins=plugins, trust="anywhere" if trust else "none")


def recipe_in(picture: Path) -> str:
    """Returns the recipe inside a picture.

    Raises:
        ImageError: there is none.
    """
    recipe = read_recipe(picture)
    if recipe is None:
        raise ImageError(
            f"{picture} holds no recipe: it was not made by kerasdream, or was saved again by another program "
            f"(kerasdream dream {picture} dreams it)"
        )
    return recipe


def manifest_in(file: Path) -> dict[str, Any]:
    """Returns the manifest inside a file that kerasdream may have made; an empty one if there is none to be read."""
    try:
        manifest = source.parse(read_recipe(file) or "", str(file)).data
    except (ImageError, ConfigError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def differences(asked: Any, found: Any, path: str = "") -> Iterator[str]:
    """Yields ``"recipe.octaves.steps is 5, was 20"`` for every place where two manifests differ."""
    if isinstance(asked, Mapping) and isinstance(found, Mapping):
        ours, theirs = ({str(key): value for key, value in one.items()} for one in (asked, found))
    elif isinstance(asked, (list, tuple)) and isinstance(found, (list, tuple)) and len(asked) == len(found):
        ours, theirs = ({str(i): value for i, value in enumerate(one)} for one in (asked, found))
    else:
        if asked != found and (path, asked) != ("recipe.tiles.size", "auto"):  # of which a number has become
            yield f"{path} is {shown(asked)}, was {shown(found)}"
        return
    for key in dict.fromkeys([*ours, *theirs]):
        yield from differences(ours.get(key), theirs.get(key), f"{path}.{key}".lstrip("."))


def checksum(file: Path, files: Iterable[Path] | None = None) -> str:
    """Returns the SHA-256 of a file, in hexadecimal; of a folder, that of the names and checksums of its files.

    Args:
        files: those of a folder that count; by default all.
    """
    digest = hashlib.sha256()
    if file.is_dir():
        for inner in sorted(path for path in file.rglob("*") if path.is_file()) if files is None else files:
            digest.update(f"{inner.relative_to(file).as_posix()} {checksum(inner)}\n".encode())
        return digest.hexdigest()
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def plugin_checksum(path: Path) -> str:
    """Returns the SHA-256 of a plugin that is not installed: a file, a package or a folder of Python files.

    Raises:
        PluginError: there is no plugin.
    """
    return checksum(path, plugin_files.contents(path))


def _check_plugins(picture: Path, made_with: object) -> None:
    """Plugins beside the picture must be those the recipe was made with."""
    for name, expected in made_with.items() if isinstance(made_with, dict) else ():
        path = picture.parent / Path(str(name)).name
        if path.exists() and plugin_checksum(path) != expected:
            raise ConfigError(
                f"{path} is not the plugin that {picture.name} was made with (its checksum differs); to use it all the "
                f"same, name it: --plugin {path} instead of --trust"
            )


def _check_files(picture: Path, files: object) -> None:
    """Model and weight files beside the picture must be those the recipe was made with."""
    for name, expected in files.items() if isinstance(files, dict) else ():
        file = picture.parent / str(name)
        if not file.exists():
            raise ConfigError(f"the file {file.name!r}, which {picture.name} was made with, is not beside it")
        if checksum(file) != expected:
            raise ConfigError(f"{file} is not the file that {picture.name} was made with (its checksum differs)")


def _check_source(picture: Path, facts: object) -> None:
    """The photo beside the picture must be the one the recipe was made with."""
    if not isinstance(facts, dict) or "sha256" not in facts:
        if isinstance(facts, dict) and facts.get("name") == "noise":
            return
        raise ConfigError(
            f"{picture} was dreamed from an array in Python, not from a file; give one: -s image.source=PHOTO"
        )
    photo = picture.parent / str(facts.get("name"))
    if not photo.is_file():
        raise ConfigError(f"the photo {photo.name!r} is not beside {picture}; tell where it is: -s image.source=PHOTO")
    if checksum(photo) != facts["sha256"]:
        raise ConfigError(
            f"{photo} is not the photo that {picture.name} was made from (its checksum differs); to dream it all the "
            f"same: -s image.source={photo}"
        )
