"""Attribute errors to plugins: where a function is defined, and a failure as one line that names the plugin."""

from __future__ import annotations

import importlib
import traceback
from collections.abc import Callable
from inspect import unwrap
from pathlib import Path
from typing import Any

import click
import pluggy

from kerasdream.errors import KerasdreamError, PluginError

PACKAGE = Path(__file__).parents[1]
"""The folder of kerasdream itself."""

LOADERS = ("<", str(PACKAGE), *(str(Path(module.__file__).parent) for module in (importlib, pluggy) if module.__file__))
"""Beginnings of file names whose frames in a traceback never belong to a plugin."""


def where(function: Callable[..., Any]) -> str:
    """Return ``file:line`` where a function, class or callable object is defined; "" if unknown."""
    function = unwrap(function)
    of_object = getattr(function, "func", None), getattr(function, "__init__", None), type(function).__call__
    for candidate in (function, *of_object):
        code = getattr(candidate, "__code__", None)
        if code:
            return f"{code.co_filename}:{code.co_firstlineno}"
    return ""


def at(place: str) -> str:
    """Return `` at file:line``, or "" for an empty place."""
    return f" at {place}" if place else ""


def cause(error: BaseException, who: str) -> str:
    """Describe in one line why a plugin failed to load: which plugin, where in it, what happened."""
    lines = [line.strip() for line in str(error).strip().splitlines() if line.strip()]
    text = " ".join(lines) or type(error).__name__
    if isinstance(error, KerasdreamError):
        return text
    place = ""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(LOADERS)]
    if frames:  # the first frame is the plugin's; report its last own frame, not one inside a library it called
        home = frames[0].filename.removesuffix("__init__.py")
        own = [frame for frame in frames if frame.filename.startswith(home)]
        place = f"{own[-1].filename}:{own[-1].lineno}"
    elif isinstance(error, SyntaxError) and error.filename:
        place, text = f"{error.filename}:{error.lineno}", error.msg
    return f"{who} failed to load{at(place)}: {type(error).__name__}: {text}"


def lines_in(error: BaseException, file: str) -> list[int]:
    """Return the line numbers of an error's frames that lie in a file, outermost first."""
    frames = traceback.extract_tb(error.__traceback__)
    return [frame.lineno for frame in frames if frame.filename == file and frame.lineno is not None]


def reason(error: BaseException) -> str:
    """Return an exception's type and the first line of its message."""
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"


def attribute_command(added: click.Command, who: str) -> None:
    """Make exceptions in a plugin's command name the plugin and the line. Click's own exceptions pass unchanged.

    Raises:
        PluginError: when the command is run and fails.
    """
    invoke, defined = added.invoke, where(added.callback) if added.callback else ""
    file = defined.rpartition(":")[0]

    def attributed(context: click.Context) -> Any:
        try:
            return invoke(context)
        except (KerasdreamError, click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            lines = lines_in(error, file)
            place = f"{file}:{lines[-1]}" if lines else defined
            raise PluginError(f"the command {added.name!r} of {who} failed{at(place)}: {reason(error)}") from error

    setattr(added, "invoke", attributed)  # noqa: B010 - replaces a method of one command
