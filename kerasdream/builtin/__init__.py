"""The built-in parts, registered through the same hooks as any plugin's parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kerasdream import hookimpl
from kerasdream.builtin.ascent import ASCENT
from kerasdream.builtin.objectives import OBJECTIVES
from kerasdream.builtin.outputs import OUTPUTS
from kerasdream.builtin.parametrizations import PARAMETRIZATIONS
from kerasdream.builtin.postprocess import POSTPROCESS
from kerasdream.builtin.priors import PRIORS
from kerasdream.builtin.transforms import TRANSFORMS
from kerasdream.models import applications, efficientnet_lite
from kerasdream.models.ensemble import ensemble
from kerasdream.models.file import file


@hookimpl
def register_models(register):
    _register(register, {**efficientnet_lite.FACTORIES, "file": file, "ensemble": ensemble, **applications.FACTORIES})


@hookimpl
def register_objectives(register):
    _register(register, OBJECTIVES)


@hookimpl
def register_priors(register):
    _register(register, PRIORS)


@hookimpl
def register_parametrizations(register):
    _register(register, PARAMETRIZATIONS)


@hookimpl
def register_transforms(register):
    _register(register, TRANSFORMS)


@hookimpl
def register_ascent(register):
    _register(register, ASCENT)


@hookimpl
def register_postprocess(register):
    _register(register, POSTPROCESS)


@hookimpl
def register_outputs(register):
    _register(register, OUTPUTS)


def _register(register: Callable[..., None], factories: Mapping[str, Callable[..., Any]]) -> None:
    for name, factory in factories.items():
        register(factory, name=name)
