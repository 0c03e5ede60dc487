"""Annotations of parameters that say more than a type: a layer, pictures, code, trust."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from annotated_types import MinLen
from pydantic import BeforeValidator, ValidationInfo
from pydantic_core import PydanticCustomError


def _layer_for(value: Any, info: ValidationInfo) -> Any:
    """Return the layer for the run's network, ``info.context["network"]``, from a mapping with several."""
    if not isinstance(value, dict) or not value:
        return value
    network = (info.context or {}).get("network")
    if network is None:  # reported as an error of its own
        return next(iter(value.values()))
    if network not in value:
        raise PydanticCustomError("layer", f"a layer for {network} as well as for {', '.join(map(str, value))}")
    return value[network]


LAYER = BeforeValidator(_layer_for, json_schema_input_type=str | Annotated[dict[str, str], MinLen(1)])
"""Marks a parameter as a layer's name; from a mapping with one for each of several networks, picks the right one."""

LayerName = Annotated[str, LAYER]
"""Annotation of a parameter that names a layer of the network; the name is checked before anything is computed.

In a run file it may also be a mapping, ``{efficientnet_lite0: block5_expand, inception_v3: mixed3}``; the factory
receives the name for the run's network.
"""

CODE = object()
"""Marks a parameter that names a file of Python code."""

CodeFile = Annotated[Path, CODE]
"""Annotation of a parameter that names a Python file which is run: a run file may name those in its own folder."""

TRUSTED = object()
"""Marks a parameter that says whether the caller trusts the run file."""

Trusted = Annotated[bool, TRUSTED]
"""Annotation of a parameter that no run file can set: whether it is trusted, with ``--trust``, to run code."""

PICTURES = object()
"""Marks a parameter that names pictures."""

PictureFiles = Annotated[Path | Annotated[list[Path], MinLen(1)], PICTURES]
"""Annotation of a parameter that names one or several pictures: a file, a folder, a glob such as ``*.jpg``, or a list.

The factory receives a tuple of paths, of files and folders, for the ``reference`` of an ``Objective``; where the
parameter may be omitted, an empty one.
"""
