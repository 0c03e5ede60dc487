"""Networks and their layers; what is known of a network without building it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdream._files import at_home
from kerasdream.components import LOGITS, SIDE, Network
from kerasdream.errors import ModelError
from kerasdream.models import applications, defaults, efficientnet_lite, saved, tables
from kerasdream.models.ensemble import parts
from kerasdream.models.loading import why_not
from kerasdream.models.scaling import BOTH, missing

if TYPE_CHECKING:
    from kerasdream.plugins.spec import PartSpec

__all__ = [
    "default_layers",
    "default_note",
    "known_layers",
    "model_entry",
    "network_name",
    "network_side",
    "no_default",
    "parts",
    "unusable",
    "why_not",
]

_SIDES = {**applications.SIDES, **efficientnet_lite.SIDES}


def model_entry(value: Any) -> dict[str, Any] | None:
    """Return the value of the key ``model`` as a mapping with ``name`` or ``file``; None if it is neither.

    A name that ends like a model file is one: ``my_model.keras``.
    """
    entry = {"name": value} if isinstance(value, str) else dict(value) if isinstance(value, dict) else {}
    if "file" not in entry and str(entry.get("name")).lower().endswith(saved.FILES):
        entry["file"] = entry.pop("name")
    return entry if {"name", "file"} & entry.keys() else None


def unusable(model: PartSpec) -> str:
    """Return why a ``model`` entry's file cannot be used, if that is known without Keras; nothing if it is not.

    The file may be missing: a run file can be checked before it is there.
    """
    file = model.values.get("file")
    if model.name != "file" or not isinstance(file, Path):
        return ""
    given = [name for name in ("input_range", "preprocess") if model.values.get(name) is not None]
    if len(given) == 2:
        return BOTH.format(file.name)
    if not file.exists():
        return ""
    if reason := why_not(file):
        return reason
    return missing(file.name) if not given and saved.takes_values_as_they_are(file) else ""


def default_layers(model: Any, base: Path) -> Sequence[str]:
    """Return the layers that a run amplifies if it names no objectives; none if there are none that suit.

    Args:
        model: the value of the key ``model``.
        base: the folder that a relative path in it is relative to.
    """
    if isinstance(model, Network):
        return _default_layers_of(model)
    entry = model_entry(model) or {}
    if isinstance(file := entry.get("file"), str):
        rows = saved.layers_in_file(base / at_home(file)) or {}
        return defaults.by_depth(list(rows), rows)[-1:]
    return defaults.named(str(entry.get("name")))


def _default_layers_of(network: Network) -> Sequence[str]:
    """Return the default layers of a network given from Python."""
    from kerasdream.models.graph import layer_names

    try:
        named = defaults.named(network.name)
        if named and {*named} <= {*layer_names(network.model, network.aliases)}:
            return named
        return defaults.by_depth(tables.layers_of(network))[-1:]
    except ModelError:  # reported when the network is used
        return ()


def default_note(model: PartSpec, layers: Sequence[str]) -> str:
    """Return a note if the default layers of a run were found by the rule of ``defaults``; else nothing."""
    if not layers or all(member.name in defaults.CHOSEN for member in parts(model)):
        return ""
    what = model.values["file"].name if "file" in model.values else network_name(model)
    listed = f"; to list others: kerasdream layers {what}" if model.made is None and len(parts(model)) == 1 else ""
    return f"no objectives are given, so it amplifies {' and '.join(layers)} of {what}{listed}"


def no_default(model: PartSpec) -> str:
    """Return why a run without objectives has no default layers, if that is the fault of its model file."""
    file = model.values.get("file")
    if model.name != "file" or not isinstance(file, Path):
        return ""
    return why_not(file) or (
        f"missing; no layer of {file.name} is known to suit: expected a list such as [{{l2: {{layer: NAME}}}}]"
    )


def network_name(model: PartSpec) -> str:
    """Return the name of a ``model`` entry's network, under which it is tuned, without building the network.

    A network from a file has the file's name, an ensemble the names of its networks.
    """
    if len(several := parts(model)) > 1:
        return "+".join(map(network_name, several))
    return model.values["file"].stem if model.name == "file" and model.made is None else model.name


def network_side(model: PartSpec) -> int:
    """Return the side of the pictures a ``model`` entry's network was trained on; the usual side if that is unknown."""
    if len(several := parts(model)) > 1:
        return max(map(network_side, several))
    return model.made.side if model.made is not None else _SIDES.get(model.name, SIDE)


def known_layers(model: PartSpec) -> Collection[str] | None:
    """Return the layers of a ``model`` entry's network, if they are known without building it.

    For named networks there are shipped tables; a model file contains its configuration.
    """
    if len(several := parts(model)) > 1:
        known = {network_name(member): known_layers(member) for member in several}
        lists = [[f"{name}/{layer}" for layer in layers] for name, layers in known.items() if layers is not None]
        return [LOGITS, *(layer for each in lists for layer in each)] if len(lists) == len(known) else None
    if model.made is not None:
        from kerasdream.models.graph import layer_names

        return list(layer_names(model.made.model, model.made.aliases))
    if model.name == "file":
        found = saved.layers_in_file(model.values["file"])
        return None if found is None else [row.name for row in found]
    if model.values.get("top"):  # the tables do not contain the classifier
        return None
    rows = tables.layers(model.name)
    return None if rows is None else [row.name for row in rows]
