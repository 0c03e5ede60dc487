"""The planner: from a config and facts about its network to the plan of a picture.

``kerasdream plan`` takes the facts from the shipped layer tables, a run from the network that it has built. Both plan
with ``plan_run``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kerasdream.components import Energy
from kerasdream.config.ensembles import with_members
from kerasdream.models import network_name, network_side, parts, tables
from kerasdream.models.settings import usual_settings
from kerasdream.output_names import FRAME
from kerasdream.plan.cutting import Border, Geometry, cutting_for
from kerasdream.plan.plan import Plan, make_plan
from kerasdream.plan.tile_size import own_rules, tile_side
from kerasdream.plan.tiling import Cutting, Lattice, joint
from kerasdream.plugins.registry import BUILT_IN

if TYPE_CHECKING:
    from kerasdream.components import Network
    from kerasdream.config.run_config import RunConfig
    from kerasdream.plugins.spec import PartSpec


_CROPPED = "the network looks at crops of {0}×{0} pixels: it computes these layers from pictures of that size only"


class NetworkFacts(NamedTuple):
    """What planning must know about a network.

    Attributes:
        name: under which its tile size is found.
        side: of the pictures it was trained on, in pixels.
        geometry: of the layers that the objectives look at.
        notes: what the user should hear about the network.
        cropped: whether it needs crops, because these layers only follow from pictures of its own size.
    """

    name: str
    side: int
    geometry: Geometry
    notes: tuple[str, ...] = ()
    cropped: bool = False


def facts_from_table(config: RunConfig) -> NetworkFacts | None:
    """Return the facts about a network from its shipped layer table, without building it.

    None if there is no table, or if it lacks a layer of the objectives: the classifier of most networks.
    """
    table = _table(config.model)
    layers = {layer for objective in config.objectives for layer in objective.make().layers}
    rows = [row for row in table or () if row.name in layers]
    if table is None or (len(rows) < len(layers) and not config.cropped):
        return None
    field = max((row.field for row in rows), default=0) if all(row.field for row in rows) else None
    lattice = joint([row.lattice for row in rows]) if rows else Lattice()
    return NetworkFacts(network_name(config.model), network_side(config.model), Geometry(lattice, field))


def _table(model: PartSpec) -> tuple[tables.Layer, ...] | None:
    """Return the shipped layer table of a network, or those of an ensemble's networks as one."""
    if len(several := parts(model)) == 1:
        return tables.layers(model.name) if model.plugin == BUILT_IN else None
    found = [(network_name(member), _table(member)) for member in several]
    if any(table is None for _, table in found):
        return None
    return tuple(row._replace(name=f"{name}/{row.name}") for name, table in found for row in table or ())


@usual_settings()
def network_of(config: RunConfig, *, trained: bool = True) -> Network:
    """Build the network of a run, with its classifier if an objective needs it.

    Args:
        trained: whether its weights matter. If not, a named network gets random ones, so that nothing is downloaded.
    """
    members = [_prepared(member, config.classifies, trained) for member in parts(config.model)]
    model = members[0] if len(members) == 1 else with_members(config.model, members)
    network: Network = model.make()
    return network


def _prepared(model: PartSpec, classifies: bool, trained: bool) -> PartSpec:
    """Return a model entry with the parameters that follow from the run."""
    values: dict[str, Any] = {}
    if classifies and model.values.get("top", True) is None:
        values["top"] = True
    if not trained and model.plugin == BUILT_IN and tables.layers(model.name) is not None:
        values["weights"] = None
    return model.changed(values, {})


def cutting_of(config: RunConfig, facts: NetworkFacts) -> Cutting:
    """Return how the pictures of a run are cut.

    Raises:
        ConfigError: ``halo: exact`` is impossible.
    """
    tiles = config.tiles
    size = tile_side(facts.name, tiles.bytes) if tiles.size == "auto" else tiles.size
    if config.cropped:  # windows are not cut, whatever the network's strides
        return Cutting(Lattice(), size)
    transforms = [entry.make() for entry in config.transforms]
    energies = [prior for prior in (entry.make() for entry in config.priors) if isinstance(prior, Energy)]
    return cutting_for(facts.geometry, size, tiles.halo, Border.needed_by(transforms, energies))


def plan_run(config: RunConfig, facts: NetworkFacts, shape: tuple[int, int]) -> Plan:
    """Return the plan of a run for a picture.

    Args:
        shape: (height, width) of the picture, or of the sheet if there are several panels.

    Raises:
        ImageError: the picture is too small for the network.
        ConfigError: ``halo: exact`` is impossible.
    """
    notes = []
    if facts.cropped and not config.cropped:
        config, notes = config.looking_at_crops(), [_CROPPED.format(facts.side)]
    panel = config.panels.of(shape)
    sizes, steps = zip(*config.octaves.of(panel, facts.side), strict=True)
    return make_plan(
        panel,
        sizes=sizes,
        steps=steps,
        cutting=cutting_of(config, facts),
        seed=config.seed,
        notes=[*facts.notes, *notes, *_notes(config)],
        crops=config.crops_for(facts.side),
        panels=config.panels,
    )


def _notes(config: RunConfig) -> list[str]:
    """Return what the user should hear about the settings of a run."""
    notes = list(config.notes)
    notes += [own_rules().error] if config.tiles.size == "auto" and own_rules().error else []
    stills = [entry for entry in config.outputs if entry.name in ("png", "jpeg") and FRAME not in entry.values["path"]]
    if config.frames.count > 1 and stills and len(stills) == len(config.outputs):
        notes.append(f"only the last frame is written: put {FRAME} into the path of an output, or write a gif")
    return notes
