"""The parts of a gradient step: made from their specs, labelled, with the masks, source and guides that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from kerasdream import images
from kerasdream.components import LOGITS, Energy, Objective, Projection, Term, Transform
from kerasdream.engine.score import Part
from kerasdream.errors import ConfigError, ModelError, did_you_mean
from kerasdream.images.masks import Mask
from kerasdream.models.extractor import build_extractor
from kerasdream.models.graph import layer_names
from kerasdream.plan.cutting import Border
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    from typing import Literal

    from kerasdream.components import Network
    from kerasdream.models.extractor import Extractor
    from kerasdream.plan.crops import Windows
    from kerasdream.plan.panels import Panels


class Source(Protocol):
    """The photo that a picture came from."""

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        """Return the photo at this (height, width), float32, read-only."""


@dataclass(frozen=True)
class Parts:
    """The objectives, energies and transforms of a step.

    Attributes:
        masks: the masks of all parts, each once.
    """

    objectives: tuple[Part[Objective], ...]
    energies: tuple[Part[Energy], ...]
    transforms: tuple[Part[Transform], ...]
    masks: tuple[Mask, ...]

    @classmethod
    def from_specs(cls, objectives: Sequence[Any], priors: Sequence[Any] = (), transforms: Sequence[Any] = ()) -> Parts:
        """Make the parts.

        Args:
            objectives, priors, transforms: specs, or finished parts.

        Raises:
            ConfigError: no objective is given, or a prior is a projection.
        """
        looks, energies, changes = (
            [part if isinstance(part, PartSpec) else PartSpec.of(kind, part) for part in parts]
            for kind, parts in (("objectives", objectives), ("priors", priors), ("transforms", transforms))
        )
        if not looks:
            raise ConfigError("no objectives given; expected at least one")
        specs = [*looks, *energies, *changes]
        masks = tuple(dict.fromkeys(spec.mask for spec in specs if spec.mask))
        made = [spec.make() for spec in specs]
        for spec, part in zip(specs, made, strict=True):
            if isinstance(part, Projection):
                raise ConfigError(
                    f"{spec.origin} is a projection, which changes the picture after a step; GradientStep takes only "
                    "energies"
                )
        labels = [*_labels(looks, made, energies), *(f"transform {i} {spec.name}" for i, spec in enumerate(changes))]
        parts = [
            Part(label, spec, part, masks.index(spec.mask) if spec.mask else None)
            for label, spec, part in zip(labels, specs, made, strict=True)
        ]
        first, second = len(looks), len(looks) + len(energies)
        return cls(tuple(parts[:first]), tuple(parts[first:second]), tuple(parts[second:]), masks)

    @property
    def scored(self) -> tuple[Part[Any], ...]:
        """The parts that have a score: objectives, then energies."""
        return (*self.objectives, *self.energies)

    @property
    def all(self) -> tuple[Part[Any], ...]:
        """Objectives, energies, transforms."""
        return (*self.scored, *self.transforms)

    @property
    def terms(self) -> list[Term]:
        """The terms of all objectives."""
        return [term for part in self.objectives for term in part.made.terms]

    @property
    def layers(self) -> list[str]:
        """The layers that the objectives look at, each once."""
        return list(dict.fromkeys(layer for part in self.objectives for layer in part.made.layers))

    @property
    def sourced(self) -> bool:
        """Whether a part compares the picture with its source."""
        references = [term.reference for term in self.terms] + [part.made.reference for part in self.energies]
        return "source" in references

    @property
    def pointed(self) -> bool:
        """Whether an objective looks at a single position."""
        return any(term.at is not None for term in self.terms)

    @property
    def in_proportion(self) -> bool:
        """Whether the weight of an energy is in units of the objectives' gradient."""
        return any(part.spec.scale == "gradient" for part in self.energies)

    @property
    def relative(self) -> list[int]:
        """The numbers of the terms whose weight is in proportion to the other objectives."""
        return [number for number, term in enumerate(self.terms) if term.relative]

    def weight_of(self, number: int, progress: Progress) -> float:
        """Return the present weight of a term, given its number."""
        present = [(part, part.spec.values_at(progress)) for part in self.objectives]
        weights = [part.weight(values) * term.weight for part, values in present for term in part.at(values).terms]
        return float(weights[number])

    def factors(self, units: Sequence[float]) -> list[float]:
        """Return the factor of each term of the score, given the units of ``GradientStep.units``."""
        unit, *shares = units
        factors = dict(zip(self.relative, shares, strict=True))
        energies = [unit if part.spec.scale == "gradient" else 1.0 for part in self.energies]
        return [factors.get(number, 1.0) for number in range(len(self.terms))] + energies

    def alone(self, number: int | None = None, factor: float = 1.0) -> list[float]:
        """Return factors with which one term counts alone; None: all terms of objectives that are not relative."""
        ordinary = [float(number is None and not term.relative) for term in self.terms]
        return [factor if i == number else each for i, each in enumerate(ordinary)] + [0.0] * len(self.energies)

    @property
    def border(self) -> Border:
        """The extra pixels that transforms and energies need around each tile."""
        return Border.needed_by([part.made for part in self.transforms], [part.made for part in self.energies])


@dataclass(frozen=True)
class Companions:
    """The source and the masks at the size of a picture, which go through the step with it.

    Attributes:
        shape, source, panels: what they were computed for.
        array: ``(height, width, channels)`` float32: the source, if a part compares with it, then the masks.
    """

    shape: tuple[int, int]
    source: Source | None
    panels: Panels
    array: np.ndarray

    @classmethod
    def of(cls, parts: Parts, shape: tuple[int, int], source: Source | None, panels: Panels) -> Companions:
        """Resize source and masks to a picture of this (height, width).

        Raises:
            ConfigError: a part compares with the source, but none was given.
        """
        layers = []
        if parts.sourced:
            if source is None:
                raise ConfigError("a part compares the picture with its source; expected the source too: source=photo")
            layers.append(source.resized(shape))
        layers += [placed(mask, panels, shape)[..., None] for mask in parts.masks]
        return cls(shape, source, panels, np.concatenate(layers, axis=2))

    def fit(self, shape: tuple[int, int], source: Source | None, panels: Panels) -> bool:
        """Whether they were computed for this (height, width), source and panels."""
        return self.shape == shape and self.source is source and self.panels == panels


def placed(mask: Mask, panels: Panels, shape: tuple[int, int]) -> np.ndarray:
    """Return a mask for a sheet of this (height, width): the mask itself in each panel that counts, 0 in the others."""
    sheet = panels.filled(mask.resized(panels.of(shape)))
    for number, window in enumerate(panels.windows(shape)):
        if mask.panels is not None and number not in mask.panels:
            sheet[window] = np.float32(0)
    return sheet


def extractor_for(
    network: Network,
    parts: Parts,
    *,
    precision: Literal["float32", "mixed"] = "float32",
    crops: Windows | None = None,
) -> Extractor:
    """Rebuild a network up to the layers that the objectives look at.

    Raises:
        ModelError: the network cannot be traced, or has no such layer.
        OneSizeError: it needs crops.
    """
    known = list(layer_names(network.model, network.aliases))
    for part in parts.objectives:
        for layer in part.made.layers:
            if layer not in (*known, LOGITS):
                near = did_you_mean(layer, known)
                raise ModelError(f"{part.spec.origin} looks at {layer!r}; {network.name} has no such layer; {near}")
    side = fixed_side(network, crops)
    return build_extractor(network, parts.layers, precision=precision, side=side)


def fixed_side(network: Network, crops: Windows | None) -> int | None:
    """Return the height and width of all pictures that the network will see; None if it takes any."""
    return crops.size if crops and (network.taken[0] or network.tokens) else None


def guide_pictures(parts: Parts, network: Network, crops: Windows | None) -> dict[Path, list[np.ndarray]]:
    """Read the guides as float32: at most ``network.side`` pixels long, or, if it takes one size only, at that size.

    A folder among several guides stands for its pictures.
    """
    side = fixed_side(network, crops)

    def read(file: Path) -> np.ndarray:
        picture = images.read(file, network.side).stored
        return images.resize(picture, (side, side) if side else picture.shape[:2])

    guides: dict[Path, list[np.ndarray]] = {}
    for term in parts.terms:
        for path in term.guides:
            folder = isinstance(term.reference, tuple) and path.is_dir()
            if path not in guides:
                guides[path] = [read(file) for file in (images.in_folder(path) if folder else [path])]
    return guides


def _labels(objectives: Sequence[PartSpec], made: Sequence[Objective], energies: Sequence[PartSpec]) -> list[str]:
    """Return names for scores, ``l2 mixed5``, ``total_variation``, numbered if they repeat."""
    names = [f"{spec.name} {' '.join(part.layers)}" for spec, part in zip(objectives, made, strict=False)]
    names += [spec.name for spec in energies]
    return [n if names.count(n) == 1 else f"{n} ({names[: i + 1].count(n)})" for i, n in enumerate(names)]
