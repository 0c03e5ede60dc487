"""``RunConfig``: one run with everything named, validated and frozen; nothing computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from kerasdream.components import LOGITS
from kerasdream.config.octaves import Octaves
from kerasdream.config.sections import LISTS, Crops, EngineOptions, Frames, Image, Tiles, Views
from kerasdream.plan.crops import Windows
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plugins.spec import PartSpec


@dataclass(frozen=True)
class RunConfig:
    """One run, resolved: what ``kerasdream validate`` checks and ``kerasdream run`` does.

    Attributes:
        strength: factor of every step of the ascent.
        base: the folder that relative paths are relative to.
        data: the same as plain data with every default written out; recipes are made of it.
        plugin_files: the plugin files that were loaded.
        notes: what the user should hear about the settings, whatever the picture.
        distributions: the versions of the installed plugins that the run uses.
    """

    seed: int
    strength: float
    model: PartSpec
    image: Image
    views: Views
    parametrization: PartSpec
    objectives: tuple[PartSpec, ...]
    priors: tuple[PartSpec, ...]
    transforms: tuple[PartSpec, ...]
    ascent: tuple[PartSpec, ...]
    octaves: Octaves
    frames: Frames
    tiles: Tiles
    crops: Crops
    engine: EngineOptions
    postprocess: tuple[PartSpec, ...]
    outputs: tuple[PartSpec, ...]
    base: Path
    data: Mapping[str, Any] = field(repr=False)
    plugin_files: tuple[Path, ...] = ()
    notes: tuple[str, ...] = ()
    distributions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def classifies(self) -> bool:
        """Whether an objective uses the network's classifier."""
        return any(LOGITS in entry.make().layers for entry in self.objectives)

    @property
    def cropped(self) -> bool:
        """Whether the network sees crops; with ``views: auto``, for a class objective on a single picture."""
        return self.views == "crops" or (self.views == "auto" and self.classifies and self.panels == SINGLE)

    @property
    def panels(self) -> Panels:
        """The pictures on the sheet."""
        counts = self.image.panels
        return Panels(1, counts) if isinstance(counts, int) else Panels(*counts)

    def looking_at_crops(self) -> RunConfig:
        """Return the same run with ``views: auto`` decided in favour of crops."""
        return replace(self, views="crops")

    @property
    def count_of_crops(self) -> int | None:
        """Windows in each step; None: as many as cover the picture, unless an objective is a class."""
        count = self.crops.count
        return (1 if self.classifies else None) if count == "auto" else count

    def crops_for(self, side: int) -> Windows | None:
        """Return the windows that the network sees; None for tiles.

        Args:
            side: the side of the pictures the network was trained on.
        """
        crops = self.crops
        size = side if crops.size == "auto" else crops.size
        return Windows(size, self.count_of_crops, crops.spread, crops.side) if self.cropped else None

    @property
    def entries(self) -> tuple[PartSpec, ...]:
        """Every part of the run."""
        return (self.model, self.parametrization, *(entry for key in LISTS for entry in getattr(self, key)))
