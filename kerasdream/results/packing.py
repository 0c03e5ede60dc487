"""Trees of arrays, tensors and plain values as JSON with separate arrays, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerasdream import ops
from kerasdream.errors import PluginError


def packed(value: Any, arrays: dict[int, np.ndarray]) -> Any:
    """Return a tree as plain data. Its arrays are moved to ``arrays``, each once, by identity.

    Raises:
        PluginError: the tree contains a value that cannot be saved.
    """
    if value is None or type(value) in (bool, int, float, str):
        return value
    if type(value) in (list, tuple):
        return {type(value).__name__: [packed(item, arrays) for item in value]}
    if type(value) is dict:
        return {"dict": [[packed(key, arrays), packed(item, arrays)] for key, item in value.items()]}
    tensor = ops.is_tensor(value)
    array = np.asarray(value) if tensor else value  # ops.convert_to_numpy would copy it
    if not isinstance(array, (np.ndarray, np.generic)) or array.dtype.kind not in "biufc":
        kind = array.dtype if hasattr(array, "dtype") else type(value).__name__
        raise PluginError(
            f"an ascent rule or parametrization keeps a value of type {kind}, which cannot be saved; expected arrays, "
            "tensors, numbers and None, in lists, tuples and dicts"
        )
    arrays.setdefault(id(value), np.asarray(array))
    form = "tensor" if tensor else "array" if isinstance(array, np.ndarray) else "number"
    return {form: list(arrays).index(id(value))}


def unpacked(data: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the tree that was packed.

    Args:
        arrays: the arrays, by number.
    """
    if not isinstance(data, dict):
        return data
    ((form, content),) = data.items()
    if form in ("list", "tuple"):
        items = [unpacked(item, arrays) for item in content]
        return items if form == "list" else tuple(items)
    if form == "dict":
        return {unpacked(key, arrays): unpacked(item, arrays) for key, item in content}
    array = arrays[str(content)]
    return ops.convert_to_tensor(array) if form == "tensor" else array if form == "array" else array[()]
