"""The command line: the group of commands and its one exit for errors.

Nothing here imports TensorFlow; a command imports what it computes with when it runs.
"""

from __future__ import annotations

import errno
import io
import os
import platform
import sys
import tempfile
import traceback
from importlib import metadata

import click

from kerasdream import __version__
from kerasdream.cli import listings
from kerasdream.cli.atlas import atlas
from kerasdream.cli.concept import concept
from kerasdream.cli.options import CRASH, ERROR, INTERRUPTED, discovered, print_error
from kerasdream.cli.plan import plan
from kerasdream.cli.runs import dream, run, validate
from kerasdream.cli.tune import tune
from kerasdream.errors import KerasdreamError, on_a_screen, on_command_line, printable
from kerasdream.hookspecs import GROUP


class _Commands(click.Group):
    """The built-in commands, and those that installed plugins register."""

    def list_commands(self, context: click.Context) -> list[str]:
        self.discover()
        return list(self.commands)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.commands:
            self.discover()
        return super().get_command(context, name)

    def discover(self) -> None:
        """Load the plugins for their commands. Without installed plugins there are none, and ``--help`` is quick."""
        if metadata.entry_points(group=GROUP):
            discovered(self)

    def add_command(self, command: click.Command, name: str | None = None) -> None:
        name = name or command.name or ""
        if name in self.commands:
            raise ValueError(f"there is already a command {name!r}; choose another name")
        super().add_command(command, name)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="kerasdream")
def cli() -> None:
    """DeepDream for Keras: amplify what a network sees in your pictures.

    \b
    kerasdream dream photo.jpg        dream a photo with the defaults
    kerasdream run my-dream.yaml      dream what a run file describes
    """


for _command in (run, dream, validate, plan, *listings.COMMANDS, tune, atlas, concept):
    cli.add_command(_command)


def main() -> None:
    """Run the command line: the console script ``kerasdream``."""
    os.environ["KERAS_BACKEND"] = "tensorflow"  # overrides ~/.keras/keras.json
    try:
        with on_command_line():
            code = cli.main(standalone_mode=False)  # the exit code, if a command called context.exit()
        sys.exit(code if isinstance(code, int) else 0)
    except KerasdreamError as error:
        print_error(error)
        sys.exit(ERROR)
    except click.ClickException as error:
        error.show(told := io.StringIO())
        click.echo(on_a_screen(told.getvalue().rstrip()), err=True)
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        click.echo("kerasdream: interrupted", err=True)
        sys.exit(INTERRUPTED)
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            name = printable(os.path.basename(os.fsdecode(error.filename or "a file")))[:30]
            click.echo(f"kerasdream: {name}... is longer than the name of a file can be; check it", err=True)
            sys.exit(ERROR)
        reason = on_a_screen(str(error).strip().partition("\n")[0])
        click.echo(f"kerasdream: unexpected error: {type(error).__name__}: {reason}", err=True)
        click.echo(f"kerasdream: the traceback is in {write_log(error)}; please report it", err=True)
        sys.exit(CRASH)


def write_log(error: BaseException) -> str:
    """Write traceback, command line and versions to a new temporary file; return its path."""
    with tempfile.NamedTemporaryFile("w", prefix="kerasdream-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(f"{' '.join(sys.argv)}\npython {platform.python_version()} on {platform.platform()}\n")
        for name in ("kerasdream", "tensorflow", "keras", "numpy", "pillow"):
            try:
                file.write(f"{name} {metadata.version(name)}\n")
            except metadata.PackageNotFoundError:
                file.write(f"{name} not installed\n")
        traceback.print_exception(error, file=file)
    return file.name
