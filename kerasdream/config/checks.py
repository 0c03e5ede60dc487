"""Cross-field checks on a run file: unknown layers, schedules shorter than the octaves, parts that need pixels with
another parametrization, panel counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from math import prod
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from kerasdream._files import at_home, not_to_be_opened
from kerasdream.components import Projection
from kerasdream.config.messages import Errors
from kerasdream.config.octaves import Octaves
from kerasdream.config.sections import NOISE, Frames, Image
from kerasdream.errors import did_you_mean
from kerasdream.models import known_layers
from kerasdream.plugins.signature import layer_names
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Each, is_schedule


def check_layers(model: PartSpec | None, entries: Iterable[PartSpec], errors: Errors) -> None:
    """Report each layer that the network lacks, where its layers are known without building it."""
    known = None if model is None else known_layers(model)
    if model is None or known is None:
        return
    for entry in entries:
        for within, layer in layer_names(entry.factory, dict(entry.values)) if entry.factory else ():
            if layer not in known:
                near = did_you_mean(layer, known)
                hint = f" (to list them all: kerasdream layers {model.values.get('file', model.name)})"
                text = f"{model.name} has no layer {layer!r}; {near}" + (hint if model.made is None else "")
                errors.add((*entry.path, *within), text)


def check_schedules(settings: Mapping[str, Any], entries: Iterable[PartSpec], errors: Errors) -> None:
    """Report each schedule with fewer items than there are octaves.

    Args:
        settings: the settings that are valid, by key.
    """
    octaves: Octaves | None = settings.get("octaves")
    if octaves is None:
        return
    values = [((*entry.path, name), value) for entry in entries for name, value in entry.schedules.items()]
    sections = {key: section for key, section in settings.items() if isinstance(section, BaseModel)}
    values += [((key, name), value) for key, section in sections.items() for name, value in section]
    for path, value in values:
        if isinstance(value, Each) and len(value.each) < octaves.number:
            text = f"expected an item for each of the {octaves.number} octaves, not {len(value.each)}"
            errors.add((*path, "each"), text)


def check_sources(settings: Mapping[str, Any], base: Path, errors: Errors) -> None:
    """Report photos that must not be opened. They may be missing, and patterns and folders are looked at later.

    Args:
        settings: the settings that are valid, by key.
        base: the folder that relative paths are relative to.
    """
    image: Image | None = settings.get("image")
    for source in image.sources if image else ():
        if source != NOISE and (reason := not_to_be_opened(base / at_home(source))):
            errors.add(("image", "source"), reason)


def check_pixels(parametrization: PartSpec | None, entries: Iterable[PartSpec], errors: Errors) -> None:
    """Report each prior and ascent rule that works on pixels, if the parametrization does not hold pixels."""
    if parametrization is None or parametrization.make().decode is None:
        return
    other = f"which parametrization {parametrization.name} does not hold; use parametrization: pixels, or"
    for entry in entries:
        if entry.kind == "priors" and isinstance(entry.make(), Projection):
            errors.add(entry.path, f"changes the pixels after each step, {other} an energy such as total_variation")
        elif entry.kind == "ascent" and entry.make().pixels:
            errors.add(entry.path, f"reads the colours of pixels, {other} leave {entry.name} out")


def check_weights(entries: Iterable[PartSpec], errors: Errors) -> None:
    """Report objectives that are all multiplied by 0: then there is nothing to climb."""
    objectives = [entry for entry in entries if entry.kind == "objectives"]
    if objectives and all(not is_schedule(entry.weight) and not entry.weight for entry in objectives):
        errors.add(objectives[0].path, "has the weight 0, as all objectives do, so there is nothing to dream; raise it")


def check_relative(entries: Iterable[PartSpec], errors: Errors) -> None:
    """Report an objective whose weight is in proportion to the others if there is no other.

    Args:
        entries: the parts that can be made.
    """
    objectives = [entry for entry in entries if entry.kind == "objectives"]
    if objectives and all(term.relative for entry in objectives for term in entry.make().terms):
        text = f"{objectives[0].name} is in proportion to the other objectives, and there are none; add one, such as l2"
        errors.add(objectives[0].path, text)


def check_panels(settings: Mapping[str, Any], entries: Iterable[PartSpec], errors: Errors) -> None:
    """Report settings and parts that need several panels and have one, or the other way round.

    Args:
        settings: the settings that are valid, by key.
        entries: the parts that can be made.
    """
    image: Image | None = settings.get("image")
    frames: Frames | None = settings.get("frames")
    if image is None:
        return
    count = prod(image.panels) if isinstance(image.panels, tuple) else image.panels
    if count > 1 and frames and frames.count > 1:
        errors.add(("frames", "count"), f"frames need a single picture, but image.panels sets {count}; expected 1")
    for entry in entries:
        if entry.mask and entry.mask.panels and max(entry.mask.panels) >= count:
            text = f"expected numbers from 0 to {count - 1}, because image.panels is {count}"
            errors.add((*entry.path, "mask", "panels"), text)
        if entry.kind == "objectives" and count == 1 and any(term.compares for term in entry.make().terms):
            errors.add(entry.path, f"{entry.name} compares panels with one another; set image.panels to 2 or more")


def missing_files(entries: Iterable[PartSpec]) -> Iterator[str]:
    """Yield a message for each missing file of a part other than the network, with the nearest name."""
    for entry in entries:
        for path in entry.files if entry.kind != "models" else ():
            if not path.exists():  # a folder may stand for all pictures in it
                siblings = sorted(file.name for file in path.parent.glob("*") if file.is_file())
                yield entry.located(f"{path.name}: there is no such file; {did_you_mean(path.name, siblings)}")
