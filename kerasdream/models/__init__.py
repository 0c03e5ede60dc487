"""Networks, and getting at their layers."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kerasdream.plugins.spec import PartSpec


def network_name(model: PartSpec) -> str:
    """Returns what a ``model`` entry's network will be called, without building it: by its name it is tuned.

    A network from a file is called as the file is.
    """
    return model.values["file"].stem if model.name == "file" and model.made is None else model.name


def network_side(model: PartSpec) -> int:
    """Returns the side of the pictures that a ``model`` entry's network was trained on, as far as it is known without
    building it.
    """
    from kerasdream.components import SIDE
    from kerasdream.models.applications import SIDES

    return model.made.side if model.made is not None else SIDES.get(model.name, SIDE)


def known_layers(model: PartSpec) -> Collection[str] | None:
    """Returns the layers that a ``model`` entry's network has, if that can be known without building it.

    Named networks ship a table of their layers; a ``.keras`` file is asked through its configuration.
    """
    from kerasdream.models.file import layers_in_file

    if model.made is not None:
        from kerasdream.models.graph import layer_names

        return list(layer_names(model.made.model, model.made.aliases))
    if model.name == "file":
        return layers_in_file(model.values["file"])
    from kerasdream.models import tables

    if model.values.get("top"):  # the tables are those of the networks without their classifier
        return None
    rows = tables.layers(model.name)
    return None if rows is None else [row.name for row in rows]
