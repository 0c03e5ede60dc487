"""``keras.ops``, and ``keras.random`` as ``ops.random``, loaded on first use.

A part's signature and help can then be read without TensorFlow.

>>> from kerasdream import ops
>>> def density(activations):
...     return ops.mean(ops.square(activations["mixed3"]), axis=-1)
"""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    import keras

    return keras.random if name == "random" else getattr(keras.ops, name)
