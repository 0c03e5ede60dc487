"""A factory's signature as a schema: the pydantic model of its YAML entry, made without calling it."""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, create_model

from kerasdream.components import Energy, LayerMark, Objective
from kerasdream.images.masks import MaskFile
from kerasdream.plugins.registry import Registration
from kerasdream.schedules import scheduled

CHANGING = ("objectives", "priors", "transforms", "ascent")
"""Kinds that are made anew for each step, so that their numbers may be schedules."""


@cache
def model_of(registration: Registration) -> type[BaseModel]:
    """Returns the pydantic model of an entry's parameters: strict, unknown keys refused.

    Floats are open to schedules where they can change from step to step; ``weight`` and ``mask`` are added where they
    have a meaning.
    """
    factory = registration.factory
    hints = get_type_hints(factory, include_extras=True)
    fields: dict[str, Any] = {}
    texts = _argument_help(inspect.getdoc(factory) or "")
    for parameter in inspect.signature(factory).parameters.values():
        default = ... if parameter.default is parameter.empty else parameter.default
        annotation = hints[parameter.name]
        if registration.kind in CHANGING:
            annotation = _with_schedules(annotation)
        fields[parameter.name] = (annotation, Field(default, description=texts.get(parameter.name)))
    if is_weighted(factory):
        fields["weight"] = (scheduled(float), Field(1.0, description="Factor; negative to make it smaller."))
        fields["mask"] = (MaskFile | None, Field(None, description="Where it counts: a picture, white for fully."))
    config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, protected_namespaces=())
    return create_model(factory.__name__, __config__=config, __doc__=inspect.getdoc(factory), **fields)


def is_weighted(factory: Callable[..., Any]) -> bool:
    """Whether a factory makes something that ``weight`` and ``mask`` apply to: an objective or an energy."""
    return get_type_hints(factory).get("return") in (Objective, Energy)


def layer_names(factory: Callable[..., Any], params: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yields (path within the parameters, layer name) of every parameter annotated ``LayerName``, lists included."""
    for name in layer_parameters(factory):
        value = params.get(name)
        if isinstance(value, str):
            yield (name,), value
        elif isinstance(value, (list, tuple)):
            yield from (((name, i), v) for i, v in enumerate(value) if isinstance(v, str))


def layer_parameters(factory: Callable[..., Any]) -> list[str]:
    """Returns the parameters annotated ``LayerName``, or with lists of them."""
    hints = get_type_hints(factory, include_extras=True)
    return [name for name, hint in hints.items() if name != "return" and _mentions_layer(hint)]


def _mentions_layer(annotation: Any) -> bool:
    return any(isinstance(a, LayerMark) or _mentions_layer(a) for a in get_args(annotation))


def _with_schedules(annotation: Any) -> Any:
    """Replaces ``float`` (constrained or not, optional or not) by "float or a schedule of floats"."""
    if annotation is float or (get_origin(annotation) is Annotated and get_args(annotation)[0] is float):
        return scheduled(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return Union[tuple(_with_schedules(a) for a in get_args(annotation))]  # noqa: UP007 - members known at run time
    return annotation


def _argument_help(doc: str) -> dict[str, str]:
    """Reads the ``Args:`` section of a docstring: parameter -> its text on one line."""
    _, _, section = doc.partition("Args:\n")
    texts: dict[str, str] = {}
    name = ""
    for line in section.splitlines():
        if not line.strip() or not line.startswith("    "):
            break
        if not line.startswith("     ") and ":" in line:
            name, _, text = line.strip().partition(":")
            texts[name] = text.strip()
        elif name:
            texts[name] += " " + line.strip()
    return texts
