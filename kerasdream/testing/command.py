"""The check of commands that a plugin adds to the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import click
from click.testing import CliRunner

from kerasdream.testing.registered import loaded


def check_command(plugin: ModuleType | Path | str, arguments: Sequence[str]) -> str:
    """Run a plugin's command in this process, as ``kerasdream ARGUMENTS...`` would.

    Args:
        plugin: the module, or the path of a plugin file.
        arguments: the command's name, then its arguments.

    Returns:
        What it printed to standard output.

    Raises:
        AssertionError: the plugin is broken, or the command ends with an exit code other than 0.
        KerasdreamError: raised by the command; a user would see its message.
    """
    cli = click.Group("kerasdream")
    loaded(plugin, cli)
    done = CliRunner().invoke(cli, list(arguments))
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    if done.exit_code:
        raise AssertionError(f"kerasdream {' '.join(arguments)} ended with exit code {done.exit_code}: {done.output}")
    return done.stdout
