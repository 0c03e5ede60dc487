"""The layers of the named networks, known without building them: tables shipped with the package.

``python -m kerasdream.models.tables [NAME ...]`` builds the networks (without weights) and writes their tables anew.
"""

from __future__ import annotations

import json
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kerasdream.components import Network

FOLDER = Path(__file__).with_name("layers")


class Layer(NamedTuple):
    """One layer; stride 0 where position is gone, field 0 where a position sees everything (attention, global pooling).

    ``lattice`` are the fields of ``kerasdream.plan.tiling.Lattice``.
    """

    name: str
    channels: int
    stride: int
    field: int
    lattice: tuple[int, int, int]


@cache
def layers(model: str) -> tuple[Layer, ...] | None:
    """Returns the layers of a named network in the order of its graph, or None if there is no table for it."""
    try:
        rows = json.loads((FOLDER / f"{model}.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return tuple(Layer(*known, tuple(lattice)) for *known, lattice in rows)


def generate(model: str) -> tuple[Layer, ...]:
    """Builds a named network without weights and returns its layers."""
    from kerasdream.plugins.manager import discover

    return layers_of(discover().registry.get("models", model).factory(weights=None))


def layers_of(network: Network) -> tuple[Layer, ...]:
    """Returns the layers of a network that is built, in the order of its graph."""
    from kerasdream.models.extractor import build_extractor
    from kerasdream.models.geometry import lattice_of
    from kerasdream.models.graph import layer_names

    names = list(layer_names(network.model, network.aliases))
    extractor = build_extractor(network.model, names, aliases=network.aliases, fold=False)
    rows = []
    for name in names:
        pair = extractor.geometry[name]
        channels = extractor.model.output[name].shape[-1] or 0
        field = max(axis.field for axis in pair) if all(axis.local for axis in pair) else 0
        rows.append(Layer(name, channels, max(axis.stride for axis in pair), field, tuple(lattice_of(pair))))
    return tuple(rows)


def _write(model: str) -> None:
    rows = ",\n".join(json.dumps(row) for row in generate(model))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{model}.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    from kerasdream.plugins.manager import discover

    for name in sys.argv[1:] or [name for name in discover().registry.entries["models"] if name != "file"]:
        _write(name)
        print(name, len(layers(name) or ()))
