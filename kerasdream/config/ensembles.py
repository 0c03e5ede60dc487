"""Several networks in one dream: ``model: {ensemble: [...]}``, and objectives with a layer in each of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kerasdream.plugins.spec import PartSpec

ENSEMBLE = "ensemble"
"""The name of a model that consists of several networks."""

NETWORKS = "networks"
"""Its parameter: the networks."""


def named_entry(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a model entry without the shorthand: ``{ensemble: [...]}`` -> ``{name: ensemble, networks: [...]}``."""
    if list(entry) == [ENSEMBLE]:
        return {"name": ENSEMBLE, NETWORKS: entry[ENSEMBLE]}
    return dict(entry)


def with_members(model: PartSpec, members: Sequence[PartSpec]) -> PartSpec:
    """Return the spec of an ensemble with the specs of its networks in place of their entries."""
    plain = [{"name": member.name, **member.plain} for member in members]
    return model.changed({NETWORKS: tuple(members)}, {NETWORKS: plain})


def for_each(item: Any, networks: Sequence[str], layers_of: Callable[[str], Sequence[str]]) -> list[Any]:
    """Return an objective's entry once for each network of an ensemble for which it names a layer.

    Args:
        item: ``{l2: {layer: {efficientnet_lite0: block11_expand, efficientnet_lite1: block15_expand}}}``; an entry
            of another form is returned as it is.
        networks: the names of the ensemble's networks.
        layers_of: name of an objective -> its parameters that are layers.
    """
    if not isinstance(item, dict) or len(item) != 1:
        return [item]
    ((name, parameters),) = item.items()
    if not isinstance(parameters, dict):
        return [item]
    several = {key: parameters[key] for key in layers_of(name) if isinstance(parameters.get(key), dict)}
    named = [network for network in networks if all(network in choices for choices in several.values())]
    if not several or not named:
        return [item]
    return [
        {name: {**parameters, **{key: f"{network}/{choices[network]}" for key, choices in several.items()}}}
        for network in named
    ]
