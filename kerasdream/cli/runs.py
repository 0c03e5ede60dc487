"""The commands that take run files or photos: ``run``, ``dream`` and ``validate``."""

from __future__ import annotations

import glob
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream._files import at_home
from kerasdream.cli.options import (
    ERROR,
    FOLDER,
    OVERRIDES,
    OVERWRITE,
    PLUGINS,
    QUIET,
    RESUME,
    TRUST,
    create,
    echo,
    interruptible,
    reported,
)
from kerasdream.errors import ConfigError, DreamError, ImageError, OutputError, Place

if TYPE_CHECKING:
    from kerasdream.config.document import KeyPath, YamlDocument
    from kerasdream.config.run_config import RunConfig
    from kerasdream.events import Result

_FILES = click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
_JSON = click.option("--json", "as_json", is_flag=True, help="Print results as JSON, one line per picture.")


@click.command()
@_FILES
@OVERRIDES
@PLUGINS
@TRUST
@FOLDER
@OVERWRITE
@RESUME
@QUIET
@_JSON
def run(
    files: tuple[Path, ...], overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool, **options: Any
) -> None:
    """Dream what run files describe.

    A FILE is a YAML file, or a picture made by kerasdream, whose recipe is run again.

    A checkpoint is saved next to the output after every octave, every minute and on Ctrl-C, which also writes the
    picture as it stands. --resume continues from there and produces the same picture, byte for byte.
    """
    from kerasdream.config.recipes import load_any

    failed = False
    for file in files:
        with reported() as outcome:
            failed |= run_all(load_any(file, overrides, plugins=plugin_files, trust=trust), **options)
        failed |= outcome.failed
    sys.exit(ERROR if failed else 0)


@click.command()
@click.argument("photos", nargs=-1, required=True, metavar="PHOTO...")
@click.option(
    "--preset",
    metavar="NAME|FILE.yaml",
    help="Start from a preset, or from a run file of your own; list the presets with: kerasdream presets",
)
@click.option(
    "--layer",
    "layers",
    metavar="NAME",
    multiple=True,
    help="Amplify this layer, or several: --layer A --layer B. The kind of objective stays the preset's if that has "
    "only one, otherwise it is l2. List the layers with: kerasdream layers MODEL",
)
@click.option("--size", type=int, metavar="PIXELS", help="Longer side of the dream; smaller photos are enlarged.")
@click.option("--strength", type=float, metavar="FACTOR", help="How far the dream goes: 0.5 for half, up to 10.")
@OVERRIDES
@PLUGINS
@TRUST
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="File to write: .png, .jpg, .webp, .tif or .gif. For several photos, a folder, created if missing.",
)
@OVERWRITE
@RESUME
@QUIET
@_JSON
def dream(
    photos: tuple[str, ...],
    preset: str | None,
    layers: tuple[str, ...],
    size: int | None,
    strength: float | None,
    overrides: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    trust: bool,
    output: Path | None,
    **options: Any,
) -> None:
    """Dream photos, or noise, with the defaults or a preset.

    A PHOTO is a file, a folder, a pattern such as "*.jpg", or noise. Writes PHOTO-dream.png next to each photo, unless
    -o names another file or folder.

    \b
    kerasdream dream photo.jpg
    kerasdream dream photo.jpg --layer block5_expand --strength 0.5 --size 3000
    kerasdream dream photo.jpg --preset google-2015
    kerasdream dream holiday/ more/*.jpg -o dreams/
    kerasdream dream noise --preset deepdraw -o goldfish.png -s objectives.0.class.name=goldfish
    """
    from kerasdream.config.plugin_files import Trust
    from kerasdream.config.presets import is_file
    from kerasdream.config.resolve import resolve

    one = len(photos) == 1 and not _is_several(photos[0])
    base = Path(photos[0]).absolute().parent if one else Path.cwd()
    if preset is not None and is_file(preset):
        preset = str(at_home(preset).absolute())
        base = Path(preset).parent
    document = _document(photos, preset, size, strength)
    folder = output.absolute() if output else None
    if output and folder and not output.is_dir() and (one or output.suffix.lower() in _formats()):
        document.data["outputs"] = [{_format(output, one): {"path": output.name}}]
        folder = folder.parent
    trusted: Trust = "anywhere" if trust else "folder"
    config = resolve(document, base, overrides, layers=layers, plugins=plugin_files, trust=trusted)
    sys.exit(ERROR if run_all(config, folder=folder, beside=True, **options) else 0)


def _is_several(photo: str) -> bool:
    """Whether an argument may stand for several photos: a folder or a pattern."""
    return os.path.isdir(photo) or (glob.has_magic(photo) and not os.path.exists(photo))


def _document(photos: Sequence[str], preset: str | None, size: int | None, strength: float | None) -> YamlDocument:
    """Return the run file that the options of ``dream`` stand for."""
    from kerasdream.config.document import YamlDocument
    from kerasdream.config.merge import PHOTO

    paths = [photo if photo == "noise" else os.path.abspath(os.path.expanduser(photo)) for photo in photos]
    data: dict[str, Any] = {"image": {"source": paths[0] if len(paths) == 1 else paths}}
    marks: dict[KeyPath, Place] = {("image", "source"): Place(f"{PHOTO} {photos[0]}")}
    if size is not None:
        data["image"]["side"], marks["image", "side"] = size, Place(f"--size {size}")
    if strength is not None:
        data["strength"], marks["strength",] = strength, Place(f"--strength {strength:g}")
    if preset is not None:
        data["preset"], marks["preset",] = preset, Place(f"--preset {preset}")
    return YamlDocument(data, "kerasdream dream", marks)


def _formats() -> dict[str, str]:
    """Return the ending of an output file -> the output that writes it."""
    from kerasdream.images import FORMATS

    return {**FORMATS, ".gif": "gif"}


def _format(output: Path, one: bool) -> str:
    """Return the output that writes a file of this name."""
    if not one:
        raise click.BadParameter(f"{output} is a file, but there may be several photos; name a folder", param_hint="-o")
    formats = _formats()
    if output.suffix.lower() not in formats:
        text = f"{output} does not end in {', '.join(formats)}, and is not a folder"
        raise click.BadParameter(text, param_hint="-o")
    return formats[output.suffix.lower()]


@click.command()
@_FILES
@OVERRIDES
@PLUGINS
@TRUST
def validate(files: tuple[Path, ...], overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool) -> None:
    """Check run files without computing anything.

    Reports every error at once, each with its line, and what would not fit into this machine's memory. Photos and the
    network may be missing; every other file that a run file names must exist.
    """
    from kerasdream.config.recipes import load_any
    from kerasdream.session.sources import too_large

    failed = False
    for file in files:
        with reported() as outcome:
            config = load_any(file, overrides, plugins=plugin_files, trust=trust)
            for plugin in config.plugin_files:
                echo(f"plugin file: {plugin}", err=True)
            _require_files(config)
            if found := list(too_large(config)):
                raise ImageError("\n".join(found))
            for note in config.notes:
                echo(f"note: {note}", err=True)
            echo(f"{file}: ok")
        failed |= outcome.failed
    sys.exit(ERROR if failed else 0)


def run_all(
    config: RunConfig,
    *,
    folder: Path | None,
    beside: bool = False,
    quiet: bool = False,
    as_json: bool = False,
    overwrite: bool = False,
    resume: bool = False,
) -> bool:
    """Run every picture of a config; return whether any failed.

    Args:
        folder, beside, overwrite, resume: see ``Session``.

    Raises:
        ConfigError: files that its parts need are missing; all are named.
    """
    from kerasdream.cli.display import Display
    from kerasdream.engine.loading import deterministic
    from kerasdream.models import network_name
    from kerasdream.session.session import Session

    _require_files(config)
    if folder is not None:
        create(folder)
    display = Display(quiet=quiet or as_json)
    session = Session(config, folder=folder, beside=beside, on_event=display, overwrite=overwrite, resume=resume)
    display.plugins(config.plugin_files)
    failed = False
    with interruptible("--resume"):
        found = session.sources()
        display.announce(*session.notes(found))
        for source in found:
            with reported((ImageError, OutputError, DreamError)) as outcome, display:
                targets = session.targets(source)
                picture = session.picture(source)
                result = session.finished(picture, targets)
                if result is None:
                    display.loading(network_name(config.model))
                    deterministic(config.seed)
                    result = session.dream(picture, targets)
                if as_json:
                    echo(json.dumps(_summary(result)))
                if result.interrupted:
                    raise KeyboardInterrupt
            failed |= outcome.failed
    return failed


def _require_files(config: RunConfig) -> None:
    from kerasdream.config.checks import missing_files

    if missing := list(missing_files(config.entries)):
        raise ConfigError("\n".join(missing))


def _summary(result: Result) -> dict[str, Any]:
    return {
        "source": result.name,
        "paths": [str(path) for path in result.paths],
        "size": [result.image.shape[1], result.image.shape[0]],
        "score": {"first": result.scores[0], "last": result.scores[-1]} if result.scores else None,
        "seconds": {name: round(value, 3) for name, value in result.timings.items()},
        "peak_memory": result.peak_memory,
        "interrupted": result.interrupted,
        "notes": list(result.notes),
    }
