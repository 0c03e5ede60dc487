"""The commands that take run files or photos: ``run``, ``dream`` and ``validate``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

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
    interruptible,
    reported,
)
from kerasdream.errors import ConfigError, DreamError, ImageError, OutputError

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig
    from kerasdream.events import Result

FORMATS = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif"}
"""Ending of an output file -> the output that writes it."""

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
@click.argument("photo", type=click.Path(dir_okay=False))
@click.option("--preset", metavar="NAME", help="Start from a preset; list them with: kerasdream presets")
@OVERRIDES
@PLUGINS
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write: .png, .jpg or .gif.")
@OVERWRITE
@RESUME
@QUIET
@_JSON
def dream(
    photo: str,
    preset: str | None,
    overrides: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    output: Path | None,
    **options: Any,
) -> None:
    """Dream a PHOTO, or noise, with the defaults or a preset.

    Writes PHOTO-dream.png next to the photo, unless -o names another file.

    \b
    kerasdream dream photo.jpg
    kerasdream dream photo.jpg --preset google-2015
    kerasdream dream noise --preset deepdraw -o goldfish.png -s objectives.0.class.name=goldfish
    """
    from kerasdream.config.document import YamlDocument
    from kerasdream.config.resolve import resolve

    file = Path(photo).absolute()
    data: dict[str, Any] = {"image": {"source": photo if photo == "noise" else str(file)}}
    if preset is not None:
        data["preset"] = preset
    if output is not None:
        kind = FORMATS.get(output.suffix.lower())
        if kind is None:
            raise click.BadParameter(f"{output} does not end in .png, .jpg or .gif", param_hint="-o")
        data["outputs"] = [{kind: {"path": output.name}}]
    folder = output.absolute().parent if output else None
    config = resolve(YamlDocument(data, "kerasdream dream"), file.parent, overrides, plugins=plugin_files)
    sys.exit(ERROR if run_all(config, folder=folder, **options) else 0)


@click.command()
@_FILES
@OVERRIDES
@PLUGINS
@TRUST
def validate(files: tuple[Path, ...], overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool) -> None:
    """Check run files without computing anything.

    Reports every error at once, each with its line. Photos and the network may be missing; every other file that a
    run file names must exist.
    """
    from kerasdream.config.recipes import load_any
    from kerasdream.session.planner import notes_on

    failed = False
    for file in files:
        with reported() as outcome:
            config = load_any(file, overrides, plugins=plugin_files, trust=trust)
            for plugin in config.plugin_files:
                click.echo(f"plugin file: {plugin}", err=True)
            _require_files(config)
            click.echo(f"{file}: ok")
            for note in notes_on(config):
                click.echo(f"  note: {note}")
        failed |= outcome.failed
    sys.exit(ERROR if failed else 0)


def run_all(
    config: RunConfig,
    *,
    folder: Path | None,
    quiet: bool = False,
    as_json: bool = False,
    overwrite: bool = False,
    resume: bool = False,
) -> bool:
    """Run every picture of a config; return whether any failed.

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
    session = Session(config, folder=folder, on_event=display, overwrite=overwrite, resume=resume)
    display.plugins(config.plugin_files)
    failed = False
    with interruptible("--resume"):
        for source in session.sources():
            with reported((ImageError, OutputError, DreamError)) as outcome, display:
                targets = session.targets(source)
                picture = session.picture(source)
                result = session.finished(picture, targets)
                if result is None:
                    display.loading(network_name(config.model))
                    deterministic(config.seed)
                    result = session.dream(picture, targets)
                if as_json:
                    click.echo(json.dumps(_summary(result)))
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
