"""What factories, and the functions of the parts they make, must return: types, shapes, finite numbers.

Return values are checked in the call that produced them, so that the error can name the plugin. Only statically known
dimensions are compared.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from typing import Any

import numpy as np

from kerasdream import ops
from kerasdream.components import (
    Energy,
    Network,
    Objective,
    Output,
    Parametrization,
    Postprocess,
    Projection,
    Rule,
    Transform,
)
from kerasdream.plugins.registry import MAKES


class ContractError(Exception):
    """A wrong return value of a factory or a part's function; the message continues a sentence that names the part."""


def as_part(kind: str, returned: Any) -> Any:
    """Return what a factory returned as a part of its kind; a plain function of pictures becomes a ``Postprocess``.

    Raises:
        ContractError: it is something else.
    """
    if isinstance(returned, MAKES[kind]):
        return returned
    if kind == "postprocess" and callable(returned) and not isinstance(returned, type):
        return Postprocess(_with_source(returned))
    expected = " or ".join(part.__name__ for part in MAKES[kind])
    if kind == "postprocess":
        expected = f"a function of (picture) or (picture, source), or {expected}"
    raise ContractError(f"returned {_kind(returned)}; expected {expected}")


def _with_source(function: Callable[..., Any]) -> Callable[[Any, Any], Any]:
    """Return a function of picture and source from one of the picture, or of both.

    The second positional parameter receives the source if it is required or called ``source``, and so does a
    keyword-only parameter called ``source``.
    """
    try:
        signature = inspect.signature(function)
    except ValueError:  # some functions written in C have no signature
        return lambda picture, source: function(picture)
    parameters = list(signature.parameters.values())
    if any(p.name == "source" and p.kind is p.KEYWORD_ONLY for p in parameters):
        return lambda picture, source: function(picture, source=source)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    required = [p for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
    taken = 2 if len(required) == 2 or any(p.name == "source" for p in positional[1:2]) else 1
    enough = len(positional) >= taken or any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if not enough or not all(p in positional[:taken] for p in required):
        raise ContractError(f"returned a function of {signature}; expected one of (picture) or (picture, source)")
    return function if taken == 2 else lambda picture, source: function(picture)


def check(made: Any, function: str, result: Any, arguments: tuple[Any, ...]) -> None:
    """Check what ``function`` of a finished part returned.

    Raises:
        ContractError: it breaks the contract.
    """
    if rule := CONTRACTS.get((type(made), function)):
        rule(made, result, *arguments)


def check_fields(made: Any) -> None:
    """Check the data of a finished part: layers, pixels, a path.

    Raises:
        ContractError: it breaks the contract.
    """
    if isinstance(made, Objective):
        for term in made.terms:
            if not term.layers or not all(isinstance(layer, str) for layer in term.layers):
                raise ContractError(f"looks at the layers {term.layers!r}; expected at least one name")
            if not term.guides and (term.reference == () or term.summary is not None):
                raise ContractError(f"has the reference {term.reference!r}; expected the path of at least one picture")
    if isinstance(made, Output) and not isinstance(made.path, str):
        raise ContractError(f"has the path {made.path!r}; expected a text such as {{stem}}-dream.png")
    if isinstance(made, Postprocess) and not (isinstance(made.scale, Real) and 1 <= made.scale < math.inf):
        raise ContractError(f"has the scale {made.scale!r}; expected a number, 1 or more")
    for name in PIXELS.get(type(made), ()):
        pixels = getattr(made, name)
        if not isinstance(pixels, Integral) or pixels < 0:
            raise ContractError(f"has the {name} {pixels!r}; expected a whole number of pixels")


PIXELS: Mapping[type, tuple[str, ...]] = {Energy: ("radius",), Transform: ("margin", "phase")}
"""Part -> its fields that count pixels."""


def _density(part: Any, density: Any, activations: Mapping[str, Any], *_: Any) -> None:
    layer, first = next(iter(activations.items()))
    shape, like = _shape(density), tuple(first.shape)
    if len(shape) == 1:
        _same(density, like[:1], "one number for each of n pictures, (n,)")
    elif len(shape) == 3:
        _same(density, like[:3], f"(n, h, w), the positions of {layer!r}, {_text(like[:3])}")
    else:
        raise ContractError(
            f"returned shape {_text(shape)} for {layer!r} of shape {_text(like)}; expected (n, h, w) or (n,)"
        )


def _log_p(part: Any, density: Any, picture: Any, *_: Any) -> None:
    _same(density, tuple(picture.shape)[:3], "(n, height, width)")


def _views(part: Any, seen: Any, views: Any, *_: Any) -> None:
    _same(seen, tuple(views.shape), f"the shape of the views, {_text(tuple(views.shape))}")


def _input(part: Any, inputs: Any, picture: Any) -> None:
    shape, like = _shape(inputs), tuple(picture.shape)
    if len(shape) != 4 or not _fits(shape[:3], like[:3]):
        raise ContractError(f"returned shape {_text(shape)}; expected (n, height, width, channels), {_text(like)}")


def _projected(part: Any, picture: Any, before: Any) -> None:
    _picture(picture, before.shape, f"the shape of the picture, {_text(before.shape)}")


def _processed(part: Postprocess, picture: Any, before: Any, *_: Any) -> None:
    shape = (*part.enlarged(before.shape[:2]), 3)
    enlarged = "" if part.scale == 1 else f" enlarged {part.scale:g} times"
    _picture(picture, shape, f"the shape of the picture{enlarged}, {_text(shape)}")


def _picture(picture: Any, shape: tuple[int, ...], expected: str) -> None:
    _same(picture, shape, expected)
    if not np.issubdtype(np.asarray(picture).dtype, np.floating):
        raise ContractError(f"returned {np.asarray(picture).dtype}; expected float32 in [-1, 1]")
    if not np.isfinite(picture).all():
        raise ContractError("returned numbers that are not finite; expected float32 in [-1, 1]")


def _decoded(part: Any, picture: Any, state: Any, height: int, width: int) -> None:
    _same(picture, (height, width, 3), f"(height, width, 3), {_text((height, width, 3))}")
    _finite(picture, "a picture")


def _update(part: Any, updated: Any, gradient: Any, *_: Any) -> None:
    if not isinstance(updated, tuple) or len(updated) != 2:
        raise ContractError(f"returned {_kind(updated)}; expected (gradient, memory)")
    _same(updated[0], tuple(gradient.shape), f"a gradient of shape {_text(tuple(gradient.shape))}")
    _finite(updated[0], "a gradient")
    _memory(part, updated[1])


def _memory(part: Any, value: Any, *_: Any) -> None:
    """Check that a rule's memory can be saved in a checkpoint."""
    if type(value) in (list, tuple, dict):
        for item in value.values() if isinstance(value, dict) else value:
            _memory(part, item)
    elif value is not None and type(value) not in (bool, int, float, str) and not hasattr(value, "dtype"):
        raise ContractError(
            f"remembers {_kind(value)}, which cannot be saved for a run to be resumed; expected arrays, tensors, "
            "numbers and None, in lists, tuples and dicts"
        )


def _state(part: Any, state: Any, *_: Any) -> None:
    _shape(state)


def _manager(part: Any, opened: Any, path: Any) -> None:
    if not hasattr(opened, "__enter__") or not hasattr(opened, "__exit__"):
        raise ContractError(f"returned {_kind(opened)}; expected a context manager that yields a function of an event")


CONTRACTS: Mapping[tuple[type, str], Callable[..., None]] = {
    (Objective, "fn"): _density,
    (Energy, "log_p"): _log_p,
    (Projection, "apply"): _projected,
    (Parametrization, "init"): _state,
    (Parametrization, "decode"): _decoded,
    (Transform, "apply"): _views,
    (Rule, "init"): _memory,
    (Rule, "update"): _update,
    (Postprocess, "apply"): _processed,
    (Output, "open"): _manager,
    (Network, "preprocess"): _input,
}
"""(Part, its function) -> the check of (the part, result, *arguments)."""


def _same(result: Any, like: tuple[int | None, ...], expected: str) -> None:
    shape = _shape(result)
    if not _fits(shape, like):
        raise ContractError(f"returned shape {_text(shape)}; expected {expected}")


def _finite(result: Any, what: str) -> None:
    """Check numbers outside a trace. Only their sum leaves the accelerator."""
    total = ops.sum(result)
    if hasattr(total, "numpy") and not np.isfinite(total.numpy()):
        raise ContractError(f"returned {what} that is not finite")


def _fits(shape: tuple[int | None, ...], like: tuple[int | None, ...]) -> bool:
    """Whether the known sizes of a shape equal another's; a known size where the other varies is wrong."""
    return len(shape) == len(like) and all(one is None or one == other for one, other in zip(shape, like, strict=True))


def _shape(result: Any) -> tuple[int | None, ...]:
    if not hasattr(result, "shape"):
        raise ContractError(f"returned {_kind(result)}; expected an array")
    return tuple(result.shape)


def _text(shape: tuple[int | None, ...]) -> str:
    sizes = ", ".join("?" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"


def _kind(value: Any) -> str:
    name = type(value).__name__
    return "nothing" if value is None else f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
