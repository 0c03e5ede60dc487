"""Networks and their layers; what is known of a network without building it."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from kerasdream.components import LOGITS, SIDE
from kerasdream.models import applications, efficientnet_lite, tables
from kerasdream.models.ensemble import parts
from kerasdream.models.file import layers_in_file

if TYPE_CHECKING:
    from kerasdream.plugins.spec import PartSpec

__all__ = ["known_layers", "network_name", "network_side", "parts"]

_SIDES = {**applications.SIDES, **efficientnet_lite.SIDES}


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

    For named networks there are shipped tables; a ``.keras`` file contains its configuration.
    """
    if len(several := parts(model)) > 1:
        known = {network_name(member): known_layers(member) for member in several}
        lists = [[f"{name}/{layer}" for layer in layers] for name, layers in known.items() if layers is not None]
        return [LOGITS, *(layer for each in lists for layer in each)] if len(lists) == len(known) else None
    if model.made is not None:
        from kerasdream.models.graph import layer_names

        return list(layer_names(model.made.model, model.made.aliases))
    if model.name == "file":
        return layers_in_file(model.values["file"])
    if model.values.get("top"):  # the tables do not contain the classifier
        return None
    rows = tables.layers(model.name)
    return None if rows is None else [row.name for row in rows]
