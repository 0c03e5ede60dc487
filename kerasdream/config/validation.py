"""Validate plain data against a pydantic model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from kerasdream.config.document import KeyPath
from kerasdream.config.messages import Errors, explained

Model = TypeVar("Model", bound=BaseModel)


def validated(
    schema: type[Model],
    values: Mapping[Any, Any],
    path: KeyPath,
    errors: Errors,
    *,
    network: str | None = None,
    more_keys: Sequence[str] = (),
) -> Model | None:
    """Validate as strictly as JSON is; add what is wrong to ``errors`` and return None.

    Args:
        path: the place of ``values`` in the run file.
        network: the name of the run's network; selects from ``{network: layer}``.
        more_keys: keys to suggest for an unknown one, in addition to the fields of ``schema``.
    """
    try:
        return schema.model_validate_json(_in_json(values), context={"network": network})
    except ValidationError as error:
        for inner, text in explained(error, values, schema, more_keys):
            errors.add((*path, *inner), text)
    except (TypeError, UnicodeEncodeError) as error:
        found = [(key, text) for key, value in values.items() if (text := _not_plain(value))]
        for key, text in found or [(None, str(error))]:  # else a key is not plain
            errors.add(path if key is None else (*path, key), text)
    return None


def _not_plain(value: Any) -> str:
    """Return what is wrong with a value that is not plain data; nothing if it is."""
    try:
        _in_json(value)
    except TypeError as error:
        return str(error)
    except UnicodeEncodeError:
        return f"has a character that is not Unicode: {value!r}; if it is the name of a file, rename the file"
    return ""


def _in_json(value: Any) -> bytes:
    return json.dumps(value, default=_plain, ensure_ascii=False).encode()


def _plain(value: Any) -> Any:
    """Return a path or a NumPy number, as a Python caller may give, as plain data."""
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(value, "item") and getattr(value, "ndim", 1) == 0:
        return value.item()
    raise TypeError(f"expected plain data, not {type(value).__name__}")
