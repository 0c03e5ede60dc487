"""A factory's signature as a schema: the pydantic model of its YAML entry, built without calling the factory."""

from __future__ import annotations

import collections.abc
import inspect
import types
from collections.abc import Callable, Iterator
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, create_model

from kerasdream.components import Energy, Objective
from kerasdream.errors import PluginError
from kerasdream.images.masks import MaskFile
from kerasdream.plugins.annotations import CODE, LAYER, PICTURES, TRUSTED
from kerasdream.plugins.registry import MAKES, Registration
from kerasdream.schedules import scheduled

CHANGING = ("objectives", "priors", "transforms", "ascent")
"""Kinds whose parts are made again for each step, so that their numbers may be schedules."""

SCALE = "gradient: the weight is in tenths of the objectives' gradient, on any network; absolute: it is a bare factor."
"""What ``scale`` is, for help and schema."""


@cache
def model_of(registration: Registration) -> type[BaseModel]:
    """Return the pydantic model of an entry's parameters: strict, unknown keys rejected.

    Floats accept schedules where they can change from step to step; the reserved parameters are added where they apply.
    """
    factory = registration.factory
    fields: dict[str, Any] = {}
    texts = _argument_help(inspect.getdoc(factory) or "")
    for name, default, annotation in _parameters(registration):
        fields[name] = (annotation, Field(default, description=texts.get(name)))
    if is_weighted(registration.kind, factory):
        fields["weight"] = (scheduled(float), Field(1.0, description="Factor; negative to make it smaller."))
        fields["mask"] = (MaskFile | None, Field(None, description="Where it counts: a picture, white for fully."))
    if registration.kind == "priors" and is_weighted("priors", factory):
        fields["scale"] = (Literal["gradient", "absolute"], Field("gradient", description=SCALE))
    config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False, protected_namespaces=())
    name = getattr(factory, "__name__", registration.name)
    model: type[BaseModel] = create_model(name, __config__=config, __doc__=inspect.getdoc(factory), **fields)
    return model


def is_weighted(kind: str, factory: Callable[..., Any]) -> bool:
    """Whether ``weight`` and ``mask`` apply to what a factory makes: to an objective and an energy.

    A prior whose factory has no return annotation is taken for an energy until it is made.
    """
    returned = get_type_hints(factory).get("return")
    return returned in (Objective, Energy) or (returned is None and kind in ("objectives", "priors"))


def changing_parameters(registration: Registration) -> list[str]:
    """Return the parameters that accept a schedule, ``weight`` included."""
    hints = get_type_hints(registration.factory, include_extras=True)
    names = [name for name, _, annotation in _parameters(registration) if annotation != hints[name]]
    return [*names, *(["weight"] if is_weighted(registration.kind, registration.factory) else [])]


def layer_names(factory: Callable[..., Any], params: dict[str, Any]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Yield (path within the parameters, layer name) for every parameter annotated ``LayerName``, lists included."""
    for name in layer_parameters(factory):
        value = params.get(name)
        if isinstance(value, str):
            yield (name,), value
        elif isinstance(value, (list, tuple)):
            yield from (((name, i), v) for i, v in enumerate(value) if isinstance(v, str))


def layer_parameters(factory: Callable[..., Any]) -> list[str]:
    """Return the parameters annotated ``LayerName``, or with lists of them."""
    return _marked(factory, LAYER)


def picture_parameters(factory: Callable[..., Any]) -> list[str]:
    """Return the parameters annotated ``PictureFiles``."""
    return _marked(factory, PICTURES)


def code_parameters(factory: Callable[..., Any]) -> list[str]:
    """Return the parameters annotated ``CodeFile``."""
    return _marked(factory, CODE)


def trusted_parameters(factory: Callable[..., Any]) -> list[str]:
    """Return the parameters annotated ``Trusted``, which are no keys of a run file."""
    return _marked(factory, TRUSTED)


def check_signature(registration: Registration) -> None:
    """Build the schema of an entry now, at registration, so that a bad signature is reported with its plugin.

    Raises:
        PluginError: no schema can be built from the signature, a default does not fit its annotation, or the return
            annotation is not what the hook registers.
    """
    factory, kind = registration.factory, registration.kind
    try:
        hints = get_type_hints(factory, include_extras=True)
        model_of(registration).model_json_schema(by_alias=True)
    except Exception as error:
        reason = str(error).partition("\n")[0]
        raise PluginError(f"{registration} has a signature that does not fit a run file: {reason}") from error
    if kind == "outputs" and get_type_hints(factory).get("path") is not str:
        raise PluginError(
            f"{registration} must have a parameter path: str, as in "
            f'def {registration.name}(*, path: str = "{{stem}}-{registration.name}.txt") -> Output'
        )
    _check_return(registration, hints)
    for parameter in inspect.signature(factory).parameters.values():
        if parameter.default is not parameter.empty:
            _check_default(registration, parameter, hints[parameter.name])


def _check_return(registration: Registration, hints: dict[str, Any]) -> None:
    """Check the return annotation, if there is one: what is returned is checked when the part is made."""
    makes = MAKES[registration.kind]
    if "return" not in hints or hints["return"] in makes:
        return
    returned = hints["return"]
    if registration.kind == "postprocess" and collections.abc.Callable in (returned, get_origin(returned)):
        return
    name = "None" if returned is type(None) else getattr(returned, "__name__", str(returned))
    raise PluginError(
        f"{registration} is annotated to return {name}; expected {' or '.join(made.__name__ for made in makes)}, "
        f"as in def {registration.name}(...) -> {makes[0].__name__}, or no annotation"
    )


def _check_default(registration: Registration, parameter: inspect.Parameter, annotation: Any) -> None:
    try:
        TypeAdapter(annotation).validate_python(parameter.default)
    except ValidationError as error:
        raise PluginError(
            f"{registration}: the default of {parameter.name!r} is {parameter.default!r}, which its annotation does "
            f"not allow: {error.errors()[0]['msg'].removeprefix('Input ')}"
        ) from None


def _parameters(registration: Registration) -> Iterator[tuple[str, Any, Any]]:
    """Yield (name, default or ``...``, annotation open to schedules) of a factory's own parameters."""
    hints = get_type_hints(registration.factory, include_extras=True)
    hidden = trusted_parameters(registration.factory)
    for parameter in inspect.signature(registration.factory).parameters.values():
        if parameter.name in hidden:
            continue
        annotation = hints[parameter.name]
        if registration.kind in CHANGING:
            annotation = _with_schedules(annotation)
        yield parameter.name, ... if parameter.default is parameter.empty else parameter.default, annotation


def _marked(factory: Callable[..., Any], mark: Any) -> list[str]:
    """Return the parameters whose annotation has a mark, anywhere in it."""
    hints = get_type_hints(factory, include_extras=True)
    return [name for name, hint in hints.items() if name != "return" and _mentions(hint, mark)]


def _mentions(annotation: Any, mark: Any) -> bool:
    return any(a is mark or _mentions(a, mark) for a in get_args(annotation))


def _with_schedules(annotation: Any) -> Any:
    """Replace ``float`` (constrained or not, optional or not) by "float or a schedule of floats"."""
    if annotation is float or (get_origin(annotation) is Annotated and get_args(annotation)[0] is float):
        return scheduled(annotation)
    if get_origin(annotation) in (Union, types.UnionType):
        return Union[tuple(_with_schedules(a) for a in get_args(annotation))]  # noqa: UP007 - members known at run time
    return annotation


def _argument_help(doc: str) -> dict[str, str]:
    """Read the ``Args:`` section of a docstring: parameter -> its text on one line."""
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
