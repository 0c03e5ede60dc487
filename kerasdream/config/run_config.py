"""From YAML, a dict or a Python call to a ``RunConfig``: everything named, validated and frozen, nothing computed.

All faults are collected and reported at once, each as ``file:line:column: path: what is wrong; what was expected``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval
from pydantic import BaseModel, BeforeValidator, ConfigDict, Discriminator, Field, Tag, WithJsonSchema
from pydantic_core import PydanticCustomError

from kerasdream.components import LOGITS
from kerasdream.config import document as source
from kerasdream.config.octaves import Octaves
from kerasdream.errors import ConfigError, did_you_mean
from kerasdream.plan import crops as cropping
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plugins.registry import MAKES
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import scheduled

VERSION = 1

VIEWS = ("auto", "tiles", "crops")
"""What the network looks at in each step: all of the picture in tiles, or crops of the size it was trained on."""

Trust = Literal["none", "folder", "anywhere"]
"""Where plugin files that a run file names may be: they are code that runs."""

DEFAULTS: Mapping[str, Any] = {
    "version": VERSION,
    "seed": 0,
    "model": "efficientnet_lite0",
    "views": "auto",
    "parametrization": "pixels",
    "priors": [{"total_variation": {"weight": 1.0}}],
    "transforms": [{"jitter": {"pixels": 32}}],
    "ascent": [{"normalize": {"by": "mean_abs"}}, {"rate": {"value": 0.018}}],
    "postprocess": [],
    "outputs": [{"png": {"path": "{stem}-dream.png"}}],
}
"""What a run file that leaves a key out gets."""

DEFAULT_LAYERS: Mapping[str, Sequence[str]] = {
    "efficientnet_lite0": ("block11_expand",),
    "inception_v3": ("mixed3", "mixed5"),
}
"""Layers that a run file without objectives amplifies; other networks must be told."""

LISTS = {kind: MAKES[kind] for kind in ("objectives", "priors", "transforms", "ascent", "postprocess", "outputs")}
"""The keys that hold a list of entries, and what their factories make."""


MEMORY = r"^(?![0.]+ ?[MG]B$)([0-9]+(?:\.[0-9]+)?) ?(MB|GB)$"
"""An amount of memory, more than none."""


def memory_bytes(text: Any) -> int:
    """Returns an amount of memory, ``500MB`` or ``2GB`` (of 2¹⁰ MB), in bytes.

    Raises:
        PydanticCustomError: it is none; a ``ValueError``.
    """
    match = re.fullmatch(MEMORY, text) if isinstance(text, str) else None
    if match is None:
        raise PydanticCustomError("memory", "an amount such as 500MB or 2GB")
    return int(float(match[1]) * {"MB": 2**20, "GB": 2**30}[match[2]])


def _amount(text: Any) -> Any:
    memory_bytes(text)
    return text


Amount = Annotated[str, BeforeValidator(_amount), WithJsonSchema({"type": "string", "pattern": MEMORY})]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


Count = Annotated[int, Field(ge=1, le=64)]
PanelCounts = Annotated[
    Annotated[Count, Tag("one")] | Annotated[tuple[Count, Count], Tag("many")],
    Discriminator(lambda value: "many" if isinstance(value, (list, tuple)) else "one"),
]


class Image(_Section):
    """Where the picture comes from."""

    source: Annotated[str, Field(min_length=1, description="A photo, a glob, a folder, or noise.")]
    max_side: Annotated[int, Field(ge=16)] | None = Field(
        1024, description="Larger photos are shrunk to this; null: never."
    )
    size: tuple[Annotated[int, Field(ge=16)], Annotated[int, Field(ge=16)]] = Field(
        (512, 512), description="Height and width, for noise."
    )
    panels: PanelCounts = Field(
        1,
        description="Pictures dreamed at once, side by side on one sheet: how many, or rows and columns. Each has the "
        "size of the photo, or size.",
    )
    mean: Annotated[float, Field(ge=-1, le=1)] = Field(
        0.0, description="Brightness of noise, from black, -1, to white, 1: the mean of all its numbers."
    )
    spread: Annotated[float, Field(ge=0)] = Field(
        0.1, description="Contrast of noise: the standard deviation of its numbers, on a scale of -1 to 1."
    )


class Tiles(_Section):
    """How the picture is cut for the network."""

    size: Annotated[int, Field(ge=32)] | Literal["auto"] = Field(
        "auto", description="The network sees at most size × size pixels at once; auto: as memory allows."
    )
    halo: Annotated[int, Field(ge=0)] | Literal["auto", "exact"] = Field(
        "auto",
        description="Pixels of context around each tile; exact: all that the network sees, at ten times the cost.",
    )
    batch: Annotated[int, Field(ge=1)] | Literal["auto"] = Field(
        "auto", description="Tiles that go through the network at once."
    )
    memory: Amount | Literal["auto"] = Field(
        "auto",
        description="For the tiles under way, as in 500MB or 2GB; auto: as kerasdream tune found, or an eighth of the "
        "machine's, at most 640MB.",
    )

    @property
    def bytes(self) -> int | None:
        """``memory`` in bytes; None for ``auto``."""
        return None if self.memory == "auto" else memory_bytes(self.memory)


class Crops(_Section):
    """The random windows of the picture that the network looks at in each step, where it does not look at tiles."""

    size: Annotated[int, Field(ge=16)] | Literal["auto"] = Field(
        "auto", description="Height and width at which the network sees a window; auto: what it was trained on."
    )
    count: Annotated[int, Field(ge=1, le=256)] = Field(1, description="Windows in each step.")
    side: scheduled(Annotated[float, Interval(gt=0, le=1)]) | None = Field(  # type: ignore[valid-type]
        None, description="Side of a window as a share of the picture's shorter side; null: size pixels."
    )
    spread: Annotated[float, Field(ge=0)] = Field(
        0.3, description="Standard deviation of its offset from the middle, as a share of the room it has."
    )


class EngineOptions(_Section):
    """How the network computes."""

    precision: Literal["float32", "mixed"] = Field(
        "float32", description="mixed: the network computes in bfloat16, which some processors do faster."
    )
    jit: Literal["auto", "on", "off"] = Field(
        "auto", description="Whether XLA compiles the step; auto: no, as it gains nothing on a processor."
    )


class Frames(_Section):
    """Pictures that grow out of one another: each frame is the dream of the last one, moved."""

    count: Annotated[int, Field(ge=1)] = Field(1, description="How many; 1 is a single picture.")
    zoom: Annotated[float, Field(gt=0, le=10)] = Field(
        1.05, description="How many times larger everything becomes from frame to frame, about the centre."
    )
    rotate: Annotated[float, Field(ge=-180, le=180)] = Field(
        0.0, description="Degrees from frame to frame, counter-clockwise, about the centre."
    )
    shift: tuple[Annotated[float, Field(ge=-1, le=1)], Annotated[float, Field(ge=-1, le=1)]] = Field(
        (0.0, 0.0), description="Down and to the right from frame to frame, as fractions of height and width."
    )
    anchor: bool = Field(
        False, description="Keep mean and spread of each colour at those of the first frame, against a drift."
    )


SECTIONS: Mapping[str, type[BaseModel]] = {
    "image": Image,
    "octaves": Octaves,
    "frames": Frames,
    "tiles": Tiles,
    "crops": Crops,
    "engine": EngineOptions,
}


SHORT = {"model": "name", "image": "source"}
"""Keys that may stand as one word, and what it is short for."""


@dataclass(frozen=True)
class RunConfig:
    """One run, resolved: what ``kerasdream validate`` checks and ``kerasdream run`` does.

    Attributes:
        base: the folder that relative paths are relative to.
        data: the same as plain data, every default written out; what a recipe is made of.
        plugin_files: the plugin files that were loaded.
        distributions: the versions of the installed plugins that it uses.
    """

    seed: int
    model: PartSpec
    image: Image
    views: Literal["auto", "tiles", "crops"]
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
    distributions: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def classifies(self) -> bool:
        """Whether an objective looks at the network's classifier."""
        return any(LOGITS in entry.make().layers for entry in self.objectives)

    @property
    def cropped(self) -> bool:
        """Whether the network looks at crops: by itself, if a class is asked for of a single picture."""
        return self.views == "crops" or (self.views == "auto" and self.classifies and self.panels == SINGLE)

    @property
    def panels(self) -> Panels:
        """The pictures on the sheet."""
        asked = self.image.panels
        return Panels(1, asked) if isinstance(asked, int) else Panels(*asked)

    def crops_for(self, side: int) -> cropping.Windows | None:
        """Returns the windows to look at, given the side of the pictures the network was trained on; None: tiles."""
        crops = self.crops
        size = side if crops.size == "auto" else crops.size
        return cropping.Windows(size, crops.count, crops.spread, crops.side) if self.cropped else None

    @property
    def entries(self) -> tuple[PartSpec, ...]:
        """Every part of the run."""
        return (self.model, self.parametrization, *(entry for key in LISTS for entry in getattr(self, key)))


def load(path: Path, overrides: Iterable[str] = (), *, plugins: Sequence[Path] = (), trust: bool = False) -> RunConfig:
    """Reads and validates a run file.

    Args:
        overrides, plugins: see ``resolve``.
        trust: whether plugin files named in the run file may be anywhere, rather than in its own folder or below.

    Raises:
        ConfigError: with every fault in it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        near = did_you_mean(path.name, [p.name for p in path.parent.glob("*.y*ml")])
        raise ConfigError(f"the run file {path} does not exist; {near}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the run file {path} cannot be read: {error}") from None
    document = source.parse(text, str(path))
    return resolve(document, path.parent, overrides, plugins=plugins, trust="anywhere" if trust else "folder")


def resolve(
    document: source.Document,
    base: Path,
    overrides: Iterable[str] = (),
    *,
    plugins: Sequence[Path] = (),
    trust: Trust = "folder",
) -> RunConfig:
    """Validates plain data (with Python objects in the places of entries, if it comes from Python) into a RunConfig.

    Args:
        base: folder that relative paths are relative to.
        overrides: ``key.path=value`` strings; the value is YAML. Paths of photo, model and weights are then relative to
            the present folder.
        plugins: plugin files and folders to load besides those named in the data, from anywhere.
        trust: which of the plugin files named in the data may be loaded: ``none`` (of a recipe out of a picture), those
            in the ``folder`` base or below, or ``anywhere``.

    Raises:
        ConfigError: with every fault found.
    """
    from kerasdream.config.resolve import Resolver

    return Resolver(document, base, plugins, trust).resolve(overrides)
