"""What a model file says about its network without Keras: the layers, and how far apart their positions are.

A ``.keras`` file is a zip archive with a ``config.json``; an ``.h5`` file has the same text as an attribute.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasdream._files import is_regular
from kerasdream.models.tables import Layer
from kerasdream.plan.tiling import Lattice

FILES = ".keras", ".h5", ".hdf5"
"""Extensions of files that Keras saved."""

WINDOWS = "Conv2D", "SeparableConv2D", "DepthwiseConv2D", "MaxPooling2D", "AveragePooling2D"
"""Layers that move a window over their input."""

KEEPING = r"Random|Functional$|Sequential$|Resizing$|CenterCrop$|Dropout$|GaussianNoise$|ZeroPadding2D$"
"""Layers that keep the range of the values, and models around the first layer."""

FLAT = "Flatten", "Reshape", "GlobalAveragePooling2D", "GlobalMaxPooling2D", "Permute", "RepeatVector"
"""Layers whose output has no positions in the picture."""


class _Seen(NamedTuple):
    """What a tensor sees: as in ``Layer``, but the field is (height, width)."""

    channels: int
    stride: int
    field: tuple[int, int]

    @property
    def facts(self) -> tuple[int, int, int]:
        """Channels, stride and field as in ``Layer``."""
        return self.channels, self.stride, max(self.field)


ALL = 0, 0
"""The field of a tensor that sees everything."""


def config_of(file: Path) -> dict[str, Any] | None:
    """Return the configuration of the network in a model file; None if the file has none that can be read."""
    try:
        if not is_regular(file):
            return None
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                found = json.loads(archive.read("config.json"))
        elif file.suffix.lower() in FILES[1:]:
            import h5py

            with h5py.File(file) as content:
                found = json.loads(content.attrs["model_config"])
        else:
            return None
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return None
    except RuntimeError:  # zipfile: a password or an unknown compression; json: nested too deeply
        return None
    return found if isinstance(found, dict) else None


def layers_in_file(file: Path) -> dict[Layer, str] | None:
    """Return the layers of a model file in the order of its graph, and their class names; None if unknown.

    Nested layers are named ``outer/inner``. The sizes of views that suit a layer are not known (``Layer.lattice``).
    """
    rows: list[tuple[Layer, str]] = []
    try:
        _follow(config_of(file) or {}, [], "", rows)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, RecursionError):
        return None
    return dict(rows) or None


def takes_values_as_they_are(file: Path) -> bool:
    """Whether pixel values certainly reach the first layer with weights unchanged; only a built model shows more."""
    kinds = (kind for kind in kinds_in_file(file) if not re.match(KEEPING, kind))
    return next(kinds, None) in (*WINDOWS, "Dense", "Flatten", "BatchNormalization")


def kinds_in_file(file: Path) -> list[str]:
    """Return the class names of the layers of a model file, nested ones included, in the order of its graph."""
    return [str(layer.get("class_name")) for layer in _layers(config_of(file) or {})]


def operations_in_file(file: Path) -> set[str]:
    """Return the class names of the operations of a model file that are not layers, such as ``x / 255``."""
    return {str(layer.get("class_name")) for layer in _layers(config_of(file) or {}) if _is_operation(layer)}


def _is_operation(layer: Mapping[str, Any]) -> bool:
    """Whether an entry is no layer; an .h5 file does not say, but a layer's settings are more than its name."""
    return ".ops." in str(layer["module"]) if "module" in layer else list(layer.get("config", ())) == ["name"]


def _layers(config: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the entries of all layers but the inputs, those of nested models after the model's own."""
    settings = config.get("config")
    for layer in settings.get("layers", ()) if isinstance(settings, dict) else ():
        if isinstance(layer, dict) and layer.get("class_name") != "InputLayer":
            yield layer
            yield from _layers(layer)


def _follow(
    config: Mapping[str, Any], given: Sequence[_Seen], prefix: str, rows: list[tuple[Layer, str]]
) -> list[_Seen]:
    """Add the layers of one graph to ``rows``; return what its outputs see.

    Args:
        given: what its inputs see; none for the outermost graph.
    """
    settings = config.get("config", {})
    seen: dict[str, list[_Seen]] = {}
    inputs, last = iter(given), list(given)
    for layer in settings.get("layers", ()):
        name, kind = layer.get("config", {}).get("name") or layer["name"], layer["class_name"]
        if kind == "InputLayer":
            last = seen[name] = [next(inputs, None) or _input(layer["config"])]
            continue
        reads = list(_reads(layer.get("inbound_nodes", [])[:1]))
        arriving = [seen[source][index] for source, index in reads] or last or [_Seen(0, 1, (1, 1))]
        row = len(rows)
        last = _follow(layer, arriving, f"{prefix}{name}/", rows) if "layers" in layer.get("config", {}) else []
        last = last or [_after(kind, layer.get("config", {}), arriving)]
        if not _is_operation(layer):
            rows.insert(row, (Layer(f"{prefix}{name}", *last[0].facts, Lattice()), kind))
        seen[name] = last
    ends = [seen[source][index] for source, index in _reads(settings.get("output_layers", []))]
    return ends or last


def _reads(node: Any) -> Iterator[tuple[str, int]]:
    """Yield (layer, output index) of everything that a node, or a list of outputs, reads."""
    if isinstance(node, dict):
        history = node["config"].get("keras_history") if isinstance(node.get("config"), dict) else None
        yield from _reads(history or list(node.values()))
    elif isinstance(node, list) and len(node) in (3, 4) and isinstance(node[0], str) and isinstance(node[1], int):
        yield node[0], node[2]  # with a fourth item, the arguments, Keras 2 wrote it
    elif isinstance(node, list):
        for value in node:
            yield from _reads(value)


def _input(config: Mapping[str, Any]) -> _Seen:
    shape: Sequence[int] = config.get("batch_shape") or config.get("batch_input_shape") or ()
    return _Seen(shape[-1] or 0, 1, (1, 1)) if len(shape) > 3 else _Seen(0, 0, ALL)


def _after(kind: str, config: Mapping[str, Any], given: Sequence[_Seen]) -> _Seen:
    """Return what the output of a layer sees."""
    channels = max(seen.channels for seen in given)
    stride = max(seen.stride for seen in given)
    fields = [seen.field for seen in given]
    field = ALL if ALL in fields else (max(height for height, _ in fields), max(width for _, width in fields))
    if kind == "Concatenate":
        channels = sum(seen.channels for seen in given)
    elif kind == "DepthwiseConv2D":
        channels *= config.get("depth_multiplier", 1)
    else:
        channels = config.get("filters") or config.get("units") or channels
    if kind in FLAT:
        return _Seen(channels if "Global" in kind else config.get("target_shape", [0])[-1], 0, ALL)
    if kind in WINDOWS:
        window = _pair(config.get("pool_size") or config["kernel_size"])
        apart = _pair(config.get("dilation_rate", 1))
        step = max(_pair(config.get("strides") or config.get("pool_size") or 1))
        return _Seen(channels, stride * step, _wider(field, [(window[i] - 1) * apart[i] * stride for i in (0, 1)]))
    if kind == "Conv2DTranspose":
        return _Seen(channels, _enlarged(stride, config.get("strides", 1)), _wider(field, (stride, stride)))
    if kind == "UpSampling2D":
        return _Seen(channels, _enlarged(stride, config.get("size", 2)), field)
    return _Seen(channels, stride, field)


def _wider(field: tuple[int, int], by: Sequence[int]) -> tuple[int, int]:
    return field if field == ALL else (field[0] + by[0], field[1] + by[1])


def _enlarged(stride: int, factor: Any) -> int:
    return max(1, stride // max(_pair(factor))) if stride else 0


def _pair(value: Any) -> Sequence[int]:
    return value if isinstance(value, (list, tuple)) else (value, value)
