"""Load a run from a run file or from the recipe inside a finished picture, and compare recipes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.messages import shown
from kerasdream.config.overrides import sets
from kerasdream.config.plugin_files import Trust
from kerasdream.config.recorded import Recorded
from kerasdream.config.resolve import load, resolve
from kerasdream.config.run_config import RunConfig
from kerasdream.config.sections import written_out
from kerasdream.errors import ConfigError, ImageError
from kerasdream.images import FORMATS, read_recipe

PICTURES = (*FORMATS, ".gif")

RESOLVED = ("recipe.tiles.size", "recipe.octaves.count", "recipe.octaves.steps")
"""Automatic values that a manifest contains as the numbers they became."""


def load_any(
    file: Path, overrides: Iterable[str] = (), *, plugins: Sequence[Path] = (), trust: bool = False
) -> RunConfig:
    """Load a run file, or the recipe inside a picture.

    A recipe contains the base name and checksum of its photo, which must be in the picture's folder unless
    ``image.source`` is overridden; the same holds for the files of its parts. It may name no others: see ``recorded``.
    Plugin files that the recipe names are loaded only with ``trust``, and only if they are unchanged; those in
    ``plugins`` are always loaded.

    Args:
        overrides, plugins, trust: see ``kerasdream.config.resolve.load``.

    Raises:
        ConfigError: lists every error found.
        ImageError: the picture contains no recipe.
    """
    overrides = list(overrides)
    if file.suffix.lower() not in PICTURES:
        return load(file, overrides, plugins=plugins, trust=trust)
    manifest = _manifest(file)
    marks = {path[1:]: where for path, where in manifest.marks.items() if path[:1] == ("recipe",)}
    document = YamlDocument(manifest.data["recipe"], manifest.name, marks)
    _keep_scales(document.data)
    recorded = Recorded(file, *(_mapping(manifest.data.get(key)) for key in ("files", "plugins")))
    if not any(override.startswith(("image=", "image.source=")) for override in overrides):
        image = written_out("image", document.data.get("image"))
        recorded.check_photo(_mapping(image).get("source"), manifest.data.get("source"))
    if trust and not any(sets(override, ("plugins",)) for override in overrides):
        named, given = document.data.get("plugins"), {plugin.name for plugin in plugins}
        recorded.check_plugins([name for name in named if name not in given] if isinstance(named, list) else named)
    trusted: Trust = "anywhere" if trust else "none"
    return resolve(document, file.parent, overrides, plugins=plugins, trust=trusted, recorded=recorded)


def _manifest(picture: Path) -> YamlDocument:
    manifest = parse(recipe_in(picture), f"{picture} (its recipe)")
    if not isinstance(manifest.data, dict) or not isinstance(manifest.data.get("recipe"), dict):
        raise ConfigError(f"{picture}: this kerasdream cannot read the recipe inside")
    return manifest


def run_file_in(picture: Path) -> str:
    """Return the recipe inside a picture as a run file, which has nothing about where and with what it was made.

    Raises:
        ImageError: there is no recipe.
        ConfigError: it cannot be read.
    """
    recipe = _manifest(picture).data["recipe"]
    _keep_scales(recipe)
    return yaml.safe_dump(recipe, sort_keys=False, allow_unicode=True)


def _mapping(value: Any) -> Mapping[Any, Any]:
    return value if isinstance(value, dict) else {}


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
