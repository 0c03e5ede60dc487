"""The layers of the named networks, known without building them: tables shipped with the package.

``python -m kerasdream.models.tables [NAME ...]`` builds the networks (without weights) and rewrites their tables.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from kerasdream.errors import OneSizeError
from kerasdream.plan.tiling import Lattice

if TYPE_CHECKING:
    from kerasdream.components import Network

FOLDER = Path(__file__).with_name("layers")


class Layer(NamedTuple):
    """One layer of a network.

    Attributes:
        stride: pixels between two positions; 0 if the layer has no positions.
        field: pixels one position sees; 0 if it sees everything (attention, global pooling).
        lattice: the sizes of views that suit the layer.
    """

    name: str
    channels: int
    stride: int
    field: int
    lattice: Lattice


@cache
def layers(model: str) -> tuple[Layer, ...] | None:
    """Return the layers of a named network in the order of its graph, or None if it has no table."""
    try:
        rows = json.loads((FOLDER / f"{model}.json").read_text(encoding="utf-8"))
    except OSError:  # none has this name, or no file can
        return None
    return tuple(
        Layer(name=name, channels=channels, stride=stride, field=field, lattice=Lattice(*lattice))
        for name, channels, stride, field, lattice in rows
    )


def generate(model: str) -> tuple[Layer, ...]:
    """Build a named network without weights and return its layers."""
    return layers_of(_factories()[model](weights=None))


def layers_of(network: Network) -> tuple[Layer, ...]:
    """Return the layers of a built network, in the order of its graph."""
    from kerasdream.models.extractor import build_extractor
    from kerasdream.models.geometry import lattice_of
    from kerasdream.models.graph import layer_names

    names = list(layer_names(network.model, network.aliases))
    try:
        extractor = build_extractor(network, names, fold=False)
    except OneSizeError as error:
        extractor = build_extractor(network, names, fold=False, side=error.side)
    rows = []
    for name in names:
        pair = extractor.geometry[name]
        rows.append(
            Layer(
                name=name,
                channels=extractor.model.output[name].shape[-1] or 0,
                stride=max(axis.stride for axis in pair),
                field=max(axis.field for axis in pair) if all(axis.local for axis in pair) else 0,
                lattice=lattice_of(pair),
            )
        )
    return tuple(rows)


def _factories() -> Mapping[str, Callable[..., Network]]:
    """Return the factories of the networks that have a table, by name."""
    from kerasdream.models import applications, efficientnet_lite

    return {**efficientnet_lite.FACTORIES, **applications.FACTORIES}


def _write(model: str) -> None:
    rows = ",\n".join(json.dumps(row) for row in generate(model))
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / f"{model}.json").write_text(f"[\n{rows}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:] or _factories():
        _write(name)
        print(name, len(layers(name) or ()))
