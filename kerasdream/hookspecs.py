"""The extension contract: every way to extend kerasdream, one function each.

A plugin is a module, or an installed distribution with an entry point in the group ``kerasdream``, that implements some
of these hooks with ``@kerasdream.hookimpl``. Each hook is handed a ``register`` function:

``register(factory, name=None)``
    ``factory`` is a function with keyword-only, annotated parameters. Its signature is the schema of the YAML entry,
    its docstring the help text, its name (or ``name``) the key. The built-in parts are registered in the same way, in
    ``kerasdream/builtin/__init__.py``.

Parameters annotated ``float`` accept a schedule, parameters annotated ``kerasdream.LayerName`` are checked against the
network's layers, and ``pathlib.Path`` parameters are relative to the run file. A factory is pure: it may be called
several times, and once more while the step is traced, with scalar tensors in place of scheduled numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pluggy

hookspec = pluggy.HookspecMarker("kerasdream")
hookimpl = pluggy.HookimplMarker("kerasdream")

Register = Callable[..., None]


@hookspec
def register_models(register: Register) -> None:
    """Networks: factories that return a ``kerasdream.Network``."""


@hookspec
def register_objectives(register: Register) -> None:
    """Objectives: factories that return a ``kerasdream.Objective``. ``weight`` is added to their parameters."""


@hookspec
def register_priors(register: Register) -> None:
    """Priors: factories that return a ``kerasdream.Energy`` (``weight`` is added) or a ``kerasdream.Projection``."""


@hookspec
def register_parametrizations(register: Register) -> None:
    """Parametrizations: factories that return a ``kerasdream.Parametrization``."""


@hookspec
def register_transforms(register: Register) -> None:
    """Transforms: factories that return a ``kerasdream.Transform``."""


@hookspec
def register_ascent(register: Register) -> None:
    """Ascent rules: factories that return a ``kerasdream.Rule``."""


@hookspec
def register_postprocess(register: Register) -> None:
    """Post-processing: factories that return a ``kerasdream.Postprocess``."""


@hookspec
def register_outputs(register: Register) -> None:
    """Outputs: factories that return a ``kerasdream.Output``."""


@hookspec
def register_commands(cli: Any) -> None:
    """Commands: adds ``click`` commands to the ``kerasdream`` command line, ``@cli.command()``."""
