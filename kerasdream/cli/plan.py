"""The command ``plan``: what a run would compute; without TensorFlow, unless its network has no shipped layer table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream.cli.options import AS_JSON, OVERRIDES, PLUGINS, TRUST, echo

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig
    from kerasdream.plan.plan import Plan

BUILT = "built the network to learn its strides: there is no shipped table of these layers"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@OVERRIDES
@PLUGINS
@TRUST
@AS_JSON
def plan(file: Path, overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool, as_json: bool) -> None:
    """Show what a run would compute: octaves, steps, tiles."""
    from kerasdream.config.recipes import load_any
    from kerasdream.session.sources import left_out

    config = load_any(file, overrides, plugins=plugin_files, trust=trust)
    for plugin in config.plugin_files:
        echo(f"plugin file: {plugin}", err=True)
    for note in left_out(config):
        echo(f"note: {note}", err=True)
    rows = list(describe(config))
    if as_json:
        echo(json.dumps(rows))
        return
    for row in rows:
        echo(row["text"])


def describe(config: RunConfig) -> Iterator[dict[str, Any]]:
    """Yield a row for each picture: its octaves, steps and tiles, and the same as ``text``."""
    from kerasdream.engine.loading import tensorflow
    from kerasdream.models import network_name
    from kerasdream.results.finish import finished_shape
    from kerasdream.session.planner import facts_from_table, network_of, plan_run
    from kerasdream.session.session import Session
    from kerasdream.session.sources import all_shrinking, shape_of

    session, facts = Session(config), facts_from_table(config)
    built = facts is None
    if facts is None:
        tensorflow()
        facts = Session(config, network=network_of(config, trained=False)).facts
    postprocess = [entry.make() for entry in config.postprocess]
    for source in session.sources():
        shape = shape_of(config, source)
        planned = plan_run(config, facts, shape)
        height, width = config.panels.of(shape)
        finished = finished_shape(postprocess, shape)
        row = {
            "source": source,
            "model": network_name(config.model),
            "layers": list(dict.fromkeys(layer for entry in config.objectives for layer in entry.make().layers)),
            "octaves": _octaves(planned),
            "panels": {"rows": config.panels.rows, "columns": config.panels.columns, "size": [width, height]},
            "frames": config.frames.model_dump(mode="json"),
            "finished": [finished[1], finished[0]],
            "notes": [*all_shrinking(config, [source]).values(), *planned.notes, *([BUILT] if built else [])],
        }
        yield {**row, "text": "\n".join(_lines(row))}


def _octaves(planned: Plan) -> list[dict[str, Any]]:
    """Return a row for each octave; ``computed`` is the area of its tiles or crops relative to the picture's."""
    rows = []
    for octave in planned.octaves:
        height, width = octave.shape
        if planned.crops:
            count = planned.crops.number(planned.panels.of(octave.shape)) * planned.panels.number
            counted, area = {"crops": count}, count * planned.crops.size**2
        else:
            counted, area = {"tiles": octave.layout.views}, octave.layout.area * planned.panels.number
        computed = round(area / (height * width), 2)
        rows.append({"size": [width, height], "steps": octave.steps, **counted, "computed": computed})
    return rows


def _lines(row: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of a row to read."""
    yield f"{row['source']}: {row['model']}, {', '.join(row['layers'])}"
    for number, octave in enumerate(row["octaves"], 1):
        width, height = octave["size"]
        steps, views = (_counted(octave, name) for name in ("steps", "crops" if "crops" in octave else "tiles"))
        area = f"{octave['computed']:.2f} of its area computed"
        yield f"  octave {number}: {width}×{height}, {steps}, {views} a step, {area}"
    panels, frames = row["panels"], row["frames"]
    if panels["rows"] * panels["columns"] > 1:
        width, height = panels["size"]
        yield f"  {panels['rows']} × {panels['columns']} panels of {width}×{height}, which the network sees at once"
    if frames["count"] > 1:
        moves = [f"zoom {frames['zoom']:g}"]
        moves += [f"rotate {frames['rotate']:g}°"] if frames["rotate"] else []
        moves += [f"shift {frames['shift'][0]:g}, {frames['shift'][1]:g}"] if any(frames["shift"]) else []
        yield f"  {frames['count']} frames, each the dream of the one before: {', '.join(moves)}"
    if row["finished"] != row["octaves"][-1]["size"]:
        yield f"  finished: {row['finished'][0]}×{row['finished'][1]}"
    yield from (f"  note: {note}" for note in row["notes"])


def _counted(octave: dict[str, Any], name: str) -> str:
    """Return ``1 step`` or ``5 steps``."""
    return f"{octave[name]} {name if octave[name] != 1 else name[:-1]}"
