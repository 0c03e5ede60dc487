"""Who is to blame: the file and line of a plugin's function, and a failure as one line."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from inspect import unwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

import kerasdream
from kerasdream.errors import KerasdreamError, PluginError

if TYPE_CHECKING:
    import click

LOADERS = "<", *(str(Path(module.__file__).parent) for module in (kerasdream, importlib, pluggy))
"""Frames of these files are never the plugin's."""


def where(function: Callable[..., Any]) -> str:
    """Returns ``file:line`` of a function's, a class's or a callable object's definition; "" where there is none."""
    function = unwrap(function)
    of_object = getattr(function, "func", None), getattr(function, "__init__", None), type(function).__call__
    for candidate in (function, *of_object):
        code = getattr(candidate, "__code__", None)
        if code:
            return f"{code.co_filename}:{code.co_firstlineno}"
    return ""


def at(place: str) -> str:
    """Returns `` at file:line``, or nothing for nothing."""
    return f" at {place}" if place else ""


def cause(error: BaseException, who: str) -> str:
    """One line: which plugin failed to load, where in it, what happened."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    text = " ".join(lines) or type(error).__name__
    if isinstance(error, KerasdreamError):
        return text
    place = ""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(LOADERS)]
    if frames:  # the first is the plugin's; of those behind it, the last that is no library's
        home = frames[0].filename.removesuffix("__init__.py")
        own = [frame for frame in frames if frame.filename.startswith(home)]
        place = f"{own[-1].filename}:{own[-1].lineno}"
    elif isinstance(error, SyntaxError) and error.filename:
        place, text = f"{error.filename}:{error.lineno}", error.msg
    return f"{who} failed to load{at(place)}: {type(error).__name__}: {text}"


def command(added: click.Command, who: str) -> None:
    """Makes an exception in a plugin's command a fault that names the plugin and the line; click's own pass.

    Raises:
        PluginError: when the command is run and fails.
    """
    import click

    invoke, defined = added.invoke, where(added.callback) if added.callback else ""
    file = defined.rpartition(":")[0]

    def attributed(context: click.Context) -> Any:
        try:
            return invoke(context)
        except (KerasdreamError, click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
            place = f"{file}:{lines[-1]}" if lines else defined
            reason = str(error).strip().partition("\n")[0]
            raise PluginError(
                f"the command {added.name!r} of {who} failed{at(place)}: {type(error).__name__}: {reason}"
            ) from error

    added.invoke = attributed
