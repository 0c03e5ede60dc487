"""The command ``plan``: what a run would compute, from the shipped layer tables, without TensorFlow."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream.cli.options import AS_JSON, OVERRIDES, PLUGINS, TRUST

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@OVERRIDES
@PLUGINS
@TRUST
@AS_JSON
def plan(file: Path, overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool, as_json: bool) -> None:
    """Show what a run would compute: octaves, steps, tiles."""
    from kerasdream.config.recipes import load_any

    rows = list(describe(load_any(file, overrides, plugins=plugin_files, trust=trust)))
    if as_json:
        click.echo(json.dumps(rows))
        return
    for row in rows:
        click.echo(row["text"])


def describe(config: RunConfig) -> Iterator[dict[str, Any]]:
    """Yields one row for each picture: its octaves, steps and tiles, and ``text``, the same to read."""
    from kerasdream import images
    from kerasdream.components import Energy
    from kerasdream.models import network_name, network_side, tables
    from kerasdream.plan.cutting import Border, Geometry, cutting_for
    from kerasdream.plan.tile_size import tile_side
    from kerasdream.plan.tiling import Lattice, joint
    from kerasdream.results.finish import finished_shape
    from kerasdream.session.session import Session, plan_of

    objectives = [entry.make() for entry in config.objectives]
    layers = dict.fromkeys(layer for objective in objectives for layer in objective.layers)
    rows = {row.name: row for row in tables.layers(config.model.name) or ()}
    known = [rows[layer] for layer in layers if layer in rows]
    lattice = joint([Lattice(*row.lattice) for row in known]) if known else Lattice()
    fields = [row.field for row in known]
    transforms = [entry.make() for entry in config.transforms]
    made = [entry.make() for entry in config.priors]
    steps = [entry.make() for entry in config.postprocess]
    tiles = config.tiles
    cutting = cutting_for(
        Geometry(lattice, max(fields) if known and all(fields) else None),
        tile_side(network_name(config.model), tiles.bytes) if tiles.size == "auto" else tiles.size,
        tiles.halo if known or tiles.halo != "exact" else "auto",
        Border.needed_by(transforms, [prior for prior in made if isinstance(prior, Energy)]),
    )
    crops = config.crops_for(network_side(config.model))
    for source in Session(config).sources():
        panel = config.image.size if source == "noise" else images.size(Path(source), config.image.max_side)
        shape = config.panels.sheet(panel)
        plan = plan_of(config, shape, cutting, crops)
        octaves = []
        for octave in plan.octaves:
            height, width = octave.shape
            area = crops.area if crops else octave.layout.area * config.panels.count
            octaves.append(
                {
                    "size": [width, height],
                    "steps": octave.steps,
                    **({"crops": crops.count} if crops else {"tiles": octave.layout.views}),
                    "computed": round(area / (height * width), 2),
                }
            )
        frames = config.frames.model_dump(mode="json")
        panels = {"rows": config.panels.rows, "columns": config.panels.columns, "size": [panel[1], panel[0]]}
        height, width = finished_shape(steps, shape)
        notes = list(plan.notes)
        if not known and not crops:
            notes.append("the strides of this network are known only when it is built; tiles may differ a little")
        yield {
            "source": source,
            "model": config.model.name,
            "layers": list(layers),
            "octaves": octaves,
            "panels": panels,
            "frames": frames,
            "finished": [width, height],
            "notes": notes,
            "text": _text(source, config.model.name, list(layers), octaves, panels, frames, [width, height], notes),
        }


def _text(
    source: str,
    model: str,
    layers: list[str],
    octaves: list[dict[str, Any]],
    panels: dict[str, Any],
    frames: dict[str, Any],
    size: list[int],
    notes: list[str],
) -> str:
    lines = [f"{source}: {model}, {', '.join(layers)}"]
    for i, octave in enumerate(octaves):
        width, height = octave["size"]
        counted = "steps", "crops" if "crops" in octave else "tiles"
        steps, views = (f"{octave[name]} {name[: -1 if octave[name] == 1 else None]}" for name in counted)
        lines.append(
            f"  octave {i + 1}: {width}×{height}, {steps}, {views} a step, "
            f"{octave['computed']:.2f} of its area computed"
        )
    if panels["rows"] * panels["columns"] > 1:
        width, height = panels["size"]
        grid = f"{panels['rows']} × {panels['columns']}"
        lines.append(f"  {grid} panels of {width}×{height}, which the network sees at once")
    if frames["count"] > 1:
        moves = [f"zoom {frames['zoom']:g}"]
        moves += [f"rotate {frames['rotate']:g}°"] if frames["rotate"] else []
        moves += [f"shift {frames['shift'][0]:g}, {frames['shift'][1]:g}"] if any(frames["shift"]) else []
        lines.append(f"  {frames['count']} frames, each the dream of the one before: {', '.join(moves)}")
    if size != octaves[-1]["size"]:
        lines.append(f"  finished: {size[0]}×{size[1]}")
    return "\n".join([*lines, *(f"  note: {note}" for note in notes)])
