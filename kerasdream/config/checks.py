"""Faults of a run file that no key shows alone: layers its network lacks, schedules too short for its octaves,
projections of a picture that is not held as pixels, several panels where there may be one, or one for several.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from typing import Any

from pydantic import BaseModel

from kerasdream.components import Projection
from kerasdream.config import document as source
from kerasdream.errors import did_you_mean
from kerasdream.plugins.signature import layer_names
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Each


def unknown_layers(model: PartSpec | None, entries: Iterable[PartSpec]) -> Iterator[tuple[source.Path, str]]:
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
    sections: Mapping[str, BaseModel | None], entries: Iterable[PartSpec]
) -> Iterator[tuple[source.Path, str]]:
    """Yields the place of each schedule with fewer items than there are octaves."""
    octaves = sections["octaves"]
    values = [((*entry.path, name), value) for entry in entries for name, value in entry.schedules.items()]
    values += [((key, name), value) for key, section in sections.items() if section for name, value in section]
    for path, value in values if octaves else ():
        if isinstance(value, Each) and len(value.each) < octaves.count:
            yield (*path, "each"), f"expected an item for each of the {octaves.count} octaves, not {len(value.each)}"


def missing_files(entries: Iterable[PartSpec]) -> Iterator[str]:
    """Yields, for each file of a part but the network that is not there, its place, its name and the nearest name."""
    for entry in entries:
        for path in entry.files if entry.kind != "models" else ():
            if not path.exists():
                beside = sorted(file.name for file in path.parent.glob("*") if file.is_file())
                near = did_you_mean(path.name, beside)
                yield entry.located(f"{path.name}: there is no such file; {near}")


def projections(parametrization: PartSpec | None, entries: Iterable[PartSpec]) -> Iterator[tuple[source.Path, str]]:
    """Yields the place of each prior that changes the picture after each step, where the picture is not the state."""
    if parametrization is None or parametrization.make().decode is None:
        return
    for entry in entries:
        if entry.kind == "priors" and isinstance(entry.make(), Projection):
            what = f"changes the pixels after each step, which parametrization {parametrization.name} does not hold"
            yield entry.path, f"{what}; expected parametrization: pixels, or an energy, as total_variation is"


def lone_panels(
    views: Any, sections: Mapping[str, BaseModel | None], entries: Iterable[PartSpec]
) -> Iterator[tuple[source.Path, str]]:
    """Yields the places of what needs several panels and has one, or the other way round."""
    image, frames = sections["image"], sections["frames"]
    if image is None:
        return
    count = prod(image.panels) if isinstance(image.panels, tuple) else image.panels
    if count > 1 and views == "crops":
        yield ("views",), "crops are of one picture, and image.panels asks for several; expected tiles, or auto"
    if count > 1 and frames and frames.count > 1:
        yield ("frames", "count"), "frames grow out of one picture, and image.panels asks for several; expected 1"
    for entry in entries:
        if entry.mask and entry.mask.panels and max(entry.mask.panels) >= count:
            yield (*entry.path, "mask", "panels"), f"expected numbers from 0 to {count - 1}: image.panels is {count}"
        if entry.kind == "objectives" and count == 1 and any(term.compares for term in entry.make().terms):
            yield entry.path, f"{entry.name} compares panels with one another; expected image.panels, of 2 or more"
