"""Copies of layers: Keras's own layers are rebuilt from their configuration, all others are called as they are.

The configuration of a layer that a user wrote may be incomplete, and that of a Lambda holds code. Their objects are in
memory, so they are called inside a layer of ours: nothing is deserialised, and no call is recorded on the user's model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import FunctionType
from typing import Any

from kerasdream.models.settings import users_settings


def is_standard(layer: Any) -> bool:
    """Whether a layer, with all layers inside it, is Keras's own and not a Lambda."""
    import keras

    return isinstance(layer, keras.Layer) and all(
        type(each).__module__.partition(".")[0] == "keras" and not isinstance(each, keras.layers.Lambda)
        for each in _all(layer)
    )


def _all(layer: Any) -> list[Any]:
    """Return a layer and all layers inside it."""
    return list(layer._flatten_layers())


def copy_of(layer: Any, name: str, policy: str, changes: Mapping[str, Any] | None = None) -> Any:
    """Return a copy of a layer that has no weights yet, or one that calls the layer itself; see ``is_called``.

    Args:
        policy: dtype policy of a copy.
        changes: to the configuration of a copy.
    """
    made = _rebuilt(layer, name, policy, changes or {}) if is_standard(layer) else None
    return _calling()(layer, name) if made is None else made


def is_called(made: Any) -> bool:
    """Whether ``copy_of`` returned a layer that calls the user's own."""
    return isinstance(made, _calling())


def _rebuilt(layer: Any, name: str, policy: str, changes: Mapping[str, Any]) -> Any:
    """Return a layer of the same configuration; None if that is not possible.

    What serves training is left out, and so are the initial weights, which are overwritten. A function as activation is
    taken as it is: its name may be the same as that of one of Keras's.
    """
    activation = getattr(layer, "activation", None)
    function = activation if isinstance(activation, FunctionType) else None
    try:
        config = layer.get_config()
        for key in config:
            if key.endswith(("_regularizer", "_constraint")):
                config[key] = None
            elif key.endswith("_initializer"):
                config[key] = "zeros"
        if function and "activation" in config:
            config["activation"] = "linear"
        made = type(layer).from_config({**config, "name": name, "dtype": policy, **changes})
    except Exception:
        return None
    if function and "activation" not in changes:
        made.activation = function
    for inner in _all(made)[1:]:  # a wrapper's layer has a policy of its own
        inner.dtype_policy = policy
    return made


@cache
def _calling() -> Any:
    """Return the class of layers that call another one."""
    import keras

    class Calling(keras.layers.Layer):
        def __init__(self, layer: Any, name: str) -> None:
            super().__init__(name=name, dtype="float32", autocast=False)
            # A function, so that Keras does not take the user's layer for a part of this one.
            self.layer: Callable[[], Any] = lambda: layer

        def call(self, *args: Any, **kwargs: Any) -> Any:
            with users_settings(), _no_half_floats(self.layer()):
                return self.layer()(*args, **kwargs)

    return Calling


@contextmanager
def _no_half_floats(layer: Any) -> Iterator[None]:
    """Let a layer compute in float32: small gradients become zero in float16, and are coarse in bfloat16."""
    half = [each for each in _all(layer) if each.compute_dtype in ("float16", "bfloat16")]
    policies = [each.dtype_policy for each in half]
    try:
        for each in half:
            each.dtype_policy = "float32"
        yield
    finally:
        for each, policy in zip(half, policies, strict=True):
            each.dtype_policy = policy
