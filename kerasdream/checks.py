"""Faults of a run file that no key shows alone: layers its network lacks, schedules too short for its octaves,
projections of a picture that is not held as pixels.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from pydantic import BaseModel

from kerasdream import source
from kerasdream.components import Projection
from kerasdream.entry import Entry
from kerasdream.errors import did_you_mean
from kerasdream.parameters import layer_names
from kerasdream.schedules import Each


def unknown_layers(model: Entry | None, entries: Iterable[Entry]) -> Iterator[tuple[source.Path, str]]:
    """Yields the place of each layer that the network lacks, where its layers can be known without building it."""
    from kerasdream.models import known_layers

    known = None if model is None else known_layers(model)
    if model is None or known is None:
        return
    for entry in entries:
        for within, layer in layer_names(entry.factory, entry.values) if entry.factory else ():
            if layer not in known:
                near = did_you_mean(layer, known)
                hint = f"kerasdream layers {model.values.get('file', model.name)} lists them all"
                yield (*entry.path, *within), f"{model.name} has no layer {layer!r}; {near} ({hint})"


def short_schedules(
    sections: Mapping[str, BaseModel | None], entries: Iterable[Entry]
) -> Iterator[tuple[source.Path, str]]:
    """Yields the place of each schedule with fewer items than there are octaves."""
    octaves = sections["octaves"]
    values = [((*entry.path, name), value) for entry in entries for name, value in entry.schedules.items()]
    values += [((key, name), value) for key, section in sections.items() if section for name, value in section]
    for path, value in values if octaves else ():
        if isinstance(value, Each) and len(value.each) < octaves.count:
            yield (*path, "each"), f"expected an item for each of the {octaves.count} octaves, not {len(value.each)}"


def projections(parametrization: Entry | None, entries: Iterable[Entry]) -> Iterator[tuple[source.Path, str]]:
    """Yields the place of each prior that changes the picture after each step, where the picture is not the state."""
    if parametrization is None or parametrization.make().decode is None:
        return
    for entry in entries:
        if entry.kind == "priors" and isinstance(entry.make(), Projection):
            what = f"changes the pixels after each step, which parametrization {parametrization.name} does not hold"
            yield entry.path, f"{what}; expected parametrization: pixels, or an energy, as total_variation is"
