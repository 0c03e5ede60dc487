"""What commands share: options, loading plugins, and what happens on an error or Ctrl-C."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kerasdream.errors import KerasdreamError, OutputError, on_a_screen, printable

if TYPE_CHECKING:
    from kerasdream.plugins.manager import Plugins

ERROR, CRASH, INTERRUPTED = 1, 3, 130
"""Exit codes other than 0 (success) and 2 (usage)."""

OVERRIDES = click.option(
    "-s",
    "--set",
    "overrides",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override a value: -s octaves.steps=5; or add to a list: -s 'priors+={decay: 0.1}'",
)
PLUGINS = click.option(
    "--plugin",
    "plugin_files",
    metavar="FILE_OR_FOLDER",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Load a plugin: a Python file, a package or a folder of Python files. (The file that defines a model's own "
    "layers is no plugin: -s model.code=my_layers.py)",
)
TRUST = click.option(
    "--trust",
    is_flag=True,
    help="Load plugin files that a run file names, wherever they are, or that the recipe in a picture names, next to "
    "it and unchanged; and run code that a model file holds (Lambda layers).",
)
FOLDER = click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for the outputs, created if missing.",
)
OVERWRITE = click.option("--overwrite", is_flag=True, help="Replace existing outputs.")
RESUME = click.option(
    "--resume",
    is_flag=True,
    help="Continue the same run after Ctrl-C, a crash or a power cut: finished pictures are kept, an unfinished one "
    "resumes from its checkpoint.",
)
QUIET = click.option("-q", "--quiet", is_flag=True, help="Print only errors.")
AS_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def loaded(plugin_files: tuple[Path, ...] = ()) -> Plugins:
    """Load all plugins, once per process; the commands they register join the running command's group."""
    group = click.get_current_context().find_root().command
    assert isinstance(group, click.Group)
    return discovered(group, plugin_files)


@cache
def discovered(group: click.Group, plugin_files: tuple[Path, ...] = ()) -> Plugins:
    """Load all plugins and add their commands to ``group``."""
    from kerasdream.plugins.manager import discover

    return discover(plugin_files, cli=group)


@dataclass
class Outcome:
    """Whether a ``reported`` block failed."""

    failed: bool = False


@contextmanager
def reported(kinds: type[Exception] | tuple[type[Exception], ...] = KerasdreamError) -> Iterator[Outcome]:
    """Print an expected error, one of ``kinds``, and carry on; the outcome says whether there was one."""
    outcome = Outcome()
    try:
        yield outcome
    except kinds as error:
        outcome.failed = True
        print_error(error)


def echo(text: object, *, err: bool = False) -> None:
    """Print a line; names of files and what else comes from a file in it cannot control the terminal."""
    click.echo(printable(str(text)), err=err)


def print_error(error: Exception) -> None:
    """Print the message of an expected error, each line as one of kerasdream's."""
    for line in on_a_screen(str(error)).splitlines():
        click.echo(f"kerasdream: {line}", err=True)


@contextmanager
def interruptible(*options: str) -> Iterator[None]:
    """On Ctrl-C or SIGTERM, print the current command with ``options`` added, which resumes the work, and abort."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        program, command, *arguments = sys.argv
        called = [sys.executable, "-m", "kerasdream"] if program.endswith("__main__.py") else [program]
        again = shlex.join([*called, command, *(option for option in options if option not in arguments), *arguments])
        echo(f"kerasdream: stopped; go on with: {again}", err=True)
        raise click.Abort from None
    finally:
        signal.signal(signal.SIGTERM, before)


def create(folder: Path) -> None:
    """Create the folder for outputs, if it is missing.

    Raises:
        OutputError: it cannot be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be created: {error.strerror}") from None
