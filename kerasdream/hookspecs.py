"""The extension contract: every way to extend kerasdream, one hook function each.

A plugin is a module, or an installed distribution with an entry point in the group ``kerasdream``, that implements some
of these hooks with ``@kerasdream.hookimpl``. Each hook receives a ``register`` function:

``register(factory, name=None)``
    ``factory`` is a function with keyword-only, annotated parameters. Its signature is the schema of the YAML entry,
    its docstring the help text, and its name (or ``name``) the key. A return annotation is optional; what the factory
    returns is checked when the part is made. The built-in parts are registered in the same way, in
    ``kerasdream/builtin/__init__.py``.

Parameters annotated ``float`` accept a schedule, parameters annotated ``kerasdream.LayerName`` are checked against the
network's layers, and ``pathlib.Path`` parameters are relative to the run file. A factory must be pure: it may be called
several times, and again while the step is traced, with scalar tensors in place of scheduled numbers.
"""

from __future__ import annotations

from collections.abc import Callable

import click
import pluggy

hookspec = pluggy.HookspecMarker("kerasdream")
hookimpl = pluggy.HookimplMarker("kerasdream")

Register = Callable[..., None]

GROUP = "kerasdream"
"""The group of the entry points by which installed plugins are found."""


@hookspec
def register_models(register: Register) -> None:
    """Networks: factories that return a ``kerasdream.Network``."""


@hookspec
def register_objectives(register: Register) -> None:
    """Objectives: factories that return a ``kerasdream.Objective``. ``weight`` and ``mask`` are added to them."""


@hookspec
def register_priors(register: Register) -> None:
    """Priors: factories that return a ``kerasdream.Energy`` or a ``kerasdream.Projection``.

    ``weight`` and ``mask`` are added to energies; a factory without a return annotation is taken for one until it
    returns a projection.
    """


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
    """Postprocess steps: factories that return a function, ``picture -> picture`` or ``(picture, source) -> picture``.

    A step that enlarges the picture is returned as ``kerasdream.Postprocess(function, scale=...)``.
    """


@hookspec
def register_outputs(register: Register) -> None:
    """Outputs: factories that return a ``kerasdream.Output``."""


@hookspec
def register_commands(cli: click.Group) -> None:
    """Commands: adds ``click`` commands to the ``kerasdream`` command line with ``@cli.command()``."""
