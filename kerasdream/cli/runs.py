"""Runs from the command line: every picture in turn, faults as messages, and the command to go on with."""

from __future__ import annotations

import json
import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream.errors import KerasdreamError

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig

FAULT = 1
"""Exit code of a known fault."""


class Fault:
    """Whether a fault was seen."""

    seen = False


@contextmanager
def reported(
    kinds: type[Exception] | tuple[type[Exception], ...] = KerasdreamError, *, survive: bool = False
) -> Iterator[Fault]:
    """Turns a known fault, one of ``kinds``, into a message and exit 1; with ``survive`` it goes on instead."""
    fault = Fault()
    try:
        yield fault
    except kinds as error:
        fault.seen = True
        for line in str(error).splitlines():
            click.echo(f"kerasdream: {line}", err=True)
        if not survive:
            sys.exit(FAULT)


def run_all(config: RunConfig, *, folder: Path | None, quiet: bool, as_json: bool, **options: bool) -> bool:
    """Runs every picture of a config; returns whether one failed.

    Args:
        options: of the session: ``overwrite`` and ``resume``.

    Raises:
        ConfigError: files of its parts are missing; each is named.
    """
    from kerasdream.cli.display import Display
    from kerasdream.config.checks import missing_files
    from kerasdream.engine.loading import deterministic
    from kerasdream.errors import ConfigError, DreamError, ImageError, OutputError
    from kerasdream.session.session import Session

    if missing := list(missing_files(config.entries)):
        raise ConfigError("\n".join(missing))
    if folder is not None:
        create(folder)
    display = Display(quiet=quiet or as_json)
    session = Session(config, folder=folder, on_event=display, **options)
    display.plugins(config.plugin_files)
    failed = False
    with interruptible("--resume"):
        for source in session.sources():
            with reported((ImageError, OutputError, DreamError), survive=True) as fault, display:
                targets = session.targets(source)
                picture = session.picture(source)
                result = session.finished(picture, targets)
                if result is None:
                    display.loading(config.model.name)
                    deterministic(config.seed)
                    result = session.dream(picture, targets)
                if as_json:
                    click.echo(json.dumps(_summary(result)))
                if result.interrupted:
                    raise KeyboardInterrupt
            failed |= fault.seen
    return failed


def create(folder: Path) -> None:
    """Creates the folder for outputs, if it is missing.

    Raises:
        OutputError: it cannot be created.
    """
    from kerasdream.errors import OutputError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be created: {error.strerror}") from None


@contextmanager
def interruptible(*options: str) -> Iterator[None]:
    """Turns Ctrl-C, and being told to end, into exit 130 and the present command, with ``options``, to go on with."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        program, command, *arguments = sys.argv
        called = [sys.executable, "-m", "kerasdream"] if program.endswith("__main__.py") else [program]
        again = shlex.join([*called, command, *(option for option in options if option not in arguments), *arguments])
        click.echo(f"kerasdream: what was done is saved; to go on: {again}", err=True)
        raise click.Abort from None


def _summary(result: Any) -> dict[str, Any]:
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
