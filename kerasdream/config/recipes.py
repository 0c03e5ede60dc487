"""Load a run from a run file or from the recipe inside a finished picture, and compare recipes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.messages import shown
from kerasdream.config.resolve import load, resolve
from kerasdream.config.run_config import RunConfig
from kerasdream.errors import ConfigError, ImageError
from kerasdream.images import FORMATS, read_recipe
from kerasdream.plugins import files as plugin_files

PICTURES = (*FORMATS, ".gif")

RESOLVED = ("recipe.tiles.size", "recipe.octaves.count", "recipe.octaves.steps")
"""Automatic values that a manifest contains as the numbers they became."""


def load_any(
    file: Path, overrides: Iterable[str] = (), *, plugins: Sequence[Path] = (), trust: bool = False
) -> RunConfig:
    """Load a run file, or the recipe inside a picture.

    A recipe contains the base name and checksum of its photo, which must be in the picture's folder unless
    ``image.source`` is overridden. Plugin files that the recipe names are loaded only with ``trust``, and only if they
    are unchanged; those in ``plugins`` are always loaded.

    Args:
        overrides, plugins, trust: see ``kerasdream.config.resolve.load``.

    Raises:
        ConfigError: lists every error found.
        ImageError: the picture contains no recipe.
    """
    overrides = list(overrides)
    if file.suffix.lower() not in PICTURES:
        return load(file, overrides, plugins=plugins, trust=trust)
    manifest = parse(recipe_in(file), f"{file} (its recipe)")
    if not isinstance(manifest.data, dict) or not isinstance(manifest.data.get("recipe"), dict):
        raise ConfigError(f"{file}: this kerasdream cannot read the recipe inside")
    marks = {path[1:]: where for path, where in manifest.marks.items() if path[:1] == ("recipe",)}
    document = YamlDocument(manifest.data["recipe"], manifest.name, marks)
    _keep_scales(document.data)
    if not any(override.startswith(("image=", "image.source=")) for override in overrides):
        _check_source(file, manifest.data.get("source"))
    if not any(override.startswith("model") for override in overrides):
        _check_files(file, manifest.data.get("files"))
    if trust:
        _check_plugins(file, manifest.data.get("plugins"))
    return resolve(
        document, file.parent, overrides, plugins=plugins, trust="anywhere" if trust else "none", recipe=True
    )


def _keep_scales(recipe: dict[str, Any]) -> None:
    """Write ``scale: absolute`` into the energies of a recipe from before there was a ``scale``: their weights were.

    Recipes are written out, so an entry with a weight and without a scale is that old. Its picture is dreamed again
    with the strength it had.
    """
    priors = recipe.get("priors")
    for entry in priors if isinstance(priors, list) else ():
        for parameters in entry.values() if isinstance(entry, dict) else ():
            if isinstance(parameters, dict) and "weight" in parameters:
                parameters.setdefault("scale", "absolute")


def recipe_in(picture: Path) -> str:
    """Return the recipe inside a picture.

    Raises:
        ImageError: there is no recipe.
    """
    recipe = read_recipe(picture)
    if recipe is None:
        raise ImageError(
            f"{picture} contains no recipe: it was not made by kerasdream, or another program saved it again "
            f"(to dream the picture itself: kerasdream dream {picture})"
        )
    return recipe


def manifest_in(file: Path) -> dict[str, Any]:
    """Return the manifest inside a file that kerasdream may have made; an empty one if there is none."""
    try:
        manifest = parse(read_recipe(file) or "", str(file)).data
    except (ImageError, ConfigError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def differences(new: Any, old: Any, path: str = "") -> Iterator[str]:
    """Yield ``"recipe.octaves.steps is 5, was 20"`` for every place where two manifests differ."""
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        ours, theirs = ({str(key): value for key, value in one.items()} for one in (new, old))
    elif isinstance(new, (list, tuple)) and isinstance(old, (list, tuple)) and len(new) == len(old):
        ours, theirs = ({str(i): value for i, value in enumerate(one)} for one in (new, old))
    else:
        if new != old and not (new == "auto" and path in RESOLVED):
            yield f"{path} is {shown(new)}, was {shown(old)}"
        return
    for key in dict.fromkeys([*ours, *theirs]):
        yield from differences(ours.get(key), theirs.get(key), f"{path}.{key}".lstrip("."))


def checksum(file: Path, files: Iterable[Path] | None = None) -> str:
    """Return the SHA-256 of a file, in hexadecimal; for a folder, of the names and checksums of its files.

    Args:
        files: the files of a folder to include; by default all.
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
    """Return the SHA-256 of a plugin that is not installed: a file, a package or a folder of Python files.

    Raises:
        PluginError: there is no plugin at this path.
    """
    return checksum(path, plugin_files.contents(path))


def _check_plugins(picture: Path, made_with: object) -> None:
    """Check that plugins in the picture's folder are those that the recipe was made with."""
    for name, expected in made_with.items() if isinstance(made_with, dict) else ():
        path = picture.parent / Path(str(name)).name
        if path.exists() and plugin_checksum(path) != expected:
            raise ConfigError(
                f"{path} is not the plugin that {picture.name} was made with (its checksum differs); to use it anyway, "
                f"replace --trust with --plugin {path}"
            )


def _check_files(picture: Path, files: object) -> None:
    """Check that model and weight files in the picture's folder are those that the recipe was made with."""
    for name, expected in files.items() if isinstance(files, dict) else ():
        file = picture.parent / str(name)
        if not file.exists():
            raise ConfigError(f"the file {file.name!r}, which {picture.name} was made with, is not in its folder")
        if checksum(file) != expected:
            raise ConfigError(f"{file} is not the file that {picture.name} was made with (its checksum differs)")


def _check_source(picture: Path, facts: object) -> None:
    """Check that the photo in the picture's folder is the one that the recipe was made with."""
    if not isinstance(facts, dict) or "sha256" not in facts:
        if isinstance(facts, dict) and facts.get("name") == "noise":
            return
        raise ConfigError(
            f"{picture} was dreamed from an array in Python, not from a file; name a file: -s image.source=PHOTO"
        )
    photo = picture.parent / str(facts.get("name"))
    if not photo.is_file():
        raise ConfigError(f"the photo {photo.name!r} is not in the folder of {picture}; name it: -s image.source=PHOTO")
    if checksum(photo) != facts["sha256"]:
        raise ConfigError(
            f"{photo} is not the photo that {picture.name} was made from (its checksum differs); to dream it anyway: "
            f"-s image.source={photo}"
        )
