"""The command line. Known faults are one message and exit 1; nothing here imports TensorFlow before it computes."""

from __future__ import annotations

import json
import os
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream import __version__
from kerasdream.cli import listings as commands
from kerasdream.cli.atlas import atlas
from kerasdream.cli.listings import PLUGINS
from kerasdream.cli.runs import FAULT, reported, run_all
from kerasdream.cli.tune import tune
from kerasdream.errors import KerasdreamError

if TYPE_CHECKING:
    from kerasdream.plugins.manager import Plugins

CRASH, INTERRUPTED = 3, 130
"""Exit codes beside 0 (done), 1 (a known fault) and 2 (usage)."""


class _Commands(click.Group):
    """The built-in commands, and those that plugins register."""

    def list_commands(self, context: click.Context) -> list[str]:
        loaded()
        return list(self.commands)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.commands:
            loaded()
        return super().get_command(context, name)

    def add_command(self, command: click.Command, name: str | None = None) -> None:
        name = name or command.name or ""
        if name in self.commands:
            raise ValueError(f"there is a command {name!r} already; give this one another name")
        super().add_command(command, name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kerasdream")
def cli() -> None:
    """DeepDream for Keras: amplifies what a network sees in your pictures.

    \b
    kerasdream dream photo.jpg        dream a photo with the defaults
    kerasdream run my-dream.yaml      do what a run file says
    """


_OVERRIDES = click.option(
    "-s", "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a value: -s octaves.steps=5"
)
_FOLDER = click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the outputs (created if missing).",
)
_OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
_RESUME = click.option(
    "--resume",
    is_flag=True,
    help="Go on where this very run was ended (Ctrl-C, a crash, a power cut): finished pictures are left as they are, "
    "an unfinished one goes on from its saved state.",
)
_QUIET = click.option("-q", "--quiet", is_flag=True, help="Print nothing but faults.")
_TRUST = click.option(
    "--trust", is_flag=True, help="Load plugin files from wherever the run file, or a picture's recipe, names them."
)
_JSON = click.option("--json", "as_json", is_flag=True, help="Print results as JSON, one line a picture.")


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@_OVERRIDES
@PLUGINS
@_TRUST
@_FOLDER
@_OVERWRITE
@_RESUME
@_QUIET
@_JSON
def run(
    files: tuple[Path, ...], overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool, **options: Any
) -> None:
    """Does what run files say. A FILE is a YAML file, or a picture that kerasdream made: its recipe is done again.

    The state of a dream is saved beside its output after every octave, every minute and on Ctrl-C, which also keeps the
    picture as far as it got; --resume goes on from there, to the same picture.
    """
    from kerasdream.config.recipes import load_any

    failed = False
    for file in files:
        with reported(survive=len(files) > 1) as fault:
            failed |= run_all(load_any(file, overrides, plugins=plugin_files, trust=trust), **options)
        failed |= fault.seen
    sys.exit(FAULT if failed else 0)


@cli.command()
@click.argument("photo", type=click.Path(dir_okay=False))
@click.option("--preset", metavar="NAME", help="Start from a preset; kerasdream presets lists them.")
@_OVERRIDES
@PLUGINS
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write: .png, .jpg or .gif.")
@_OVERWRITE
@_RESUME
@_QUIET
@_JSON
def dream(
    photo: str,
    preset: str | None,
    overrides: tuple[str, ...],
    plugin_files: tuple[Path, ...],
    output: Path | None,
    **options: Any,
) -> None:
    """Dreams a PHOTO, or noise, with the defaults or a preset; writes PHOTO-dream.png beside it, or what -o says.

    \b
    kerasdream dream photo.jpg
    kerasdream dream photo.jpg --preset google-2015
    kerasdream dream noise --preset deepdraw -o goldfish.png -s objectives.0.class.name=goldfish
    """
    from kerasdream.config.document import Document
    from kerasdream.config.run_config import resolve

    file = Path(photo).absolute()
    data: dict[str, Any] = {"image": {"source": photo if photo == "noise" else str(file)}}
    if preset is not None:
        data["preset"] = preset
    if output is not None:
        kind = {".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif"}.get(output.suffix.lower())
        if kind is None:
            raise click.BadParameter(f"{output} ends in none of .png, .jpg, .gif", param_hint="-o")
        data["outputs"] = [{kind: {"path": output.name}}]
    folder = output.absolute().parent if output else None
    with reported():
        document = Document(data, "kerasdream dream")
        config = resolve(document, file.parent, overrides, plugins=plugin_files)
        sys.exit(FAULT if run_all(config, folder=folder, **options) else 0)


@cli.command()
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path))
@_OVERRIDES
@PLUGINS
@_TRUST
def validate(files: tuple[Path, ...], overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool) -> None:
    """Checks run files, and computes nothing: every fault at once, each with its line. Photos and the network may be
    missing, the files of all other parts must be there.
    """
    from kerasdream.config.checks import missing_files
    from kerasdream.config.recipes import load_any
    from kerasdream.errors import ConfigError

    failed = False
    for file in files:
        with reported(survive=True) as fault:
            config = load_any(file, overrides, plugins=plugin_files, trust=trust)
            for plugin in config.plugin_files:
                click.echo(f"plugin file: {plugin}", err=True)
            if missing := list(missing_files(config.entries)):
                raise ConfigError("\n".join(missing))
            click.echo(f"{file}: ok")
        failed |= fault.seen
    sys.exit(FAULT if failed else 0)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@_OVERRIDES
@PLUGINS
@_TRUST
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def plan(file: Path, overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool, as_json: bool) -> None:
    """Shows what a run would compute: octaves, steps, tiles."""
    from kerasdream.cli.plan import describe
    from kerasdream.config.recipes import load_any

    with reported():
        rows = list(describe(load_any(file, overrides, plugins=plugin_files, trust=trust)))
        if as_json:
            click.echo(json.dumps(rows))
            return
        for row in rows:
            click.echo(row["text"])


for _command in (*commands.COMMANDS, tune, atlas):
    cli.add_command(_command)


@cache
def loaded(plugin_files: tuple[Path, ...] = ()) -> Plugins:
    """Loads all plugins, once; their commands become commands of ``cli``."""
    from kerasdream.plugins.manager import discover

    return discover(plugin_files, cli=cli)


def main() -> None:
    """Runs the command line: the console script ``kerasdream``."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # whatever ~/.keras/keras.json says
    try:
        code = cli.main(standalone_mode=False)  # that of a command that calls context.exit()
        sys.exit(code if isinstance(code, int) else 0)
    except KerasdreamError as error:
        for line in str(error).splitlines():
            click.echo(f"kerasdream: {line}", err=True)
        sys.exit(FAULT)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("kerasdream: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        from kerasdream.cli.crash import write_log

        reason = str(error).strip().partition("\n")[0]
        click.echo(f"kerasdream: an unexpected fault: {type(error).__name__}: {reason}", err=True)
        click.echo(f"kerasdream: its traceback is in {write_log(error)}; please report it", err=True)
        sys.exit(CRASH)
