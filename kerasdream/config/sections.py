"""The keys of a run file: its sections and top-level settings as models, and the keys that hold parts.

To add a setting, add a field with a default and a description. Validation, error messages, recipes and the JSON Schema
follow from it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from annotated_types import Interval
from pydantic import AfterValidator, BeforeValidator, Discriminator, Field, Tag, WithJsonSchema, model_validator
from pydantic_core import PydanticCustomError

from kerasdream._files import LONGEST_NAME, is_too_long
from kerasdream.config.octaves import Octaves, Side
from kerasdream.config.strict import StrictModel
from kerasdream.images.masks import MaskFile
from kerasdream.plugins.registry import MAKES
from kerasdream.schedules import scheduled

VERSION = 1

Views = Literal["auto", "tiles", "crops"]
"""What the network sees in each step: the whole picture in tiles, or crops of the size it was trained on."""

LISTS = {kind: MAKES[kind] for kind in ("objectives", "priors", "transforms", "ascent", "postprocess", "outputs")}
"""The keys that hold a list of entries, and the classes of their parts."""

PARTS = ("model", "parametrization", *LISTS)
"""The keys that hold parts. Their parameters depend on the registered plugins."""

RATE = 0.018
"""The default length of a step, which suits photos."""

DEFAULT_PARTS: Mapping[str, Any] = {
    "model": "efficientnet_lite0",
    "parametrization": "pixels",
    "priors": [{"total_variation": {"weight": 1.0}}],
    "transforms": [{"jitter": {"pixels": 32}}],
    "ascent": [{"shadows": {"below": 0.3}}, {"normalize": {"by": "mean_abs"}}, {"rate": {"value": RATE}}],
    "postprocess": [],
    "outputs": [{"png": {"path": "{stem}-dream.png"}}],
}
"""Defaults for omitted parts. A rule that looks at pixels, ``shadows``, is left out where the state is not pixels."""

NOISE = "noise"
"""The source of a dream that starts from noise."""

ONE_OF = {"side": "max_side", "max_side": "side"}
"""Settings of which a section has one or the other: what a run file sets takes the place of a preset's other one."""

FIRST = "<first>"
"""Stands in an entry for the name of its first parameter, where an override adds another one to a shorthand."""

SHORT = {"model": "name", "image": "source"}
"""Shorthand: section → the key that a bare value sets."""

MEMORY = r"^(?![0.]+ ?[MG]B$)([0-9]{1,9}(?:\.[0-9]{1,9})?) ?(MB|GB)$"
"""Pattern of a memory size greater than zero, e.g. ``500MB``."""


def memory_bytes(text: Any) -> int:
    """Return a memory size, ``500MB`` or ``2GB`` (of 2¹⁰ MB), in bytes.

    Raises:
        PydanticCustomError: it is not a memory size; a ``ValueError``.
    """
    match = re.fullmatch(MEMORY, text) if isinstance(text, str) else None
    if match is None:
        raise PydanticCustomError("memory", "a memory size such as 500MB or 2GB")
    return int(float(match[1]) * {"MB": 2**20, "GB": 2**30}[match[2]])


def _memory(text: Any) -> Any:
    memory_bytes(text)
    return text


def _named(path: str) -> str:
    if is_too_long(path):
        raise PydanticCustomError("name", "a file name of at most {limit} bytes", {"limit": LONGEST_NAME})
    return path


def _version(value: Any) -> Any:
    if value != VERSION or isinstance(value, bool):
        raise PydanticCustomError("version", "{known}, the only version this kerasdream can read", {"known": VERSION})
    return VERSION


Memory = Annotated[str, BeforeValidator(_memory), WithJsonSchema({"type": "string", "pattern": MEMORY})]
Version = Annotated[int, BeforeValidator(_version), WithJsonSchema({"type": "integer", "const": VERSION})]

_ONE_OR_MANY = Discriminator(lambda value: "many" if isinstance(value, (list, tuple)) else "one")
Count = Annotated[int, Field(ge=1, le=64)]
PanelCounts = Annotated[
    Annotated[Count, Tag("one")] | Annotated[tuple[Count, Count], Tag("many")],
    _ONE_OR_MANY,
]
FileName = Annotated[str, AfterValidator(_named)]
Source = Annotated[FileName, Field(min_length=1)]
Sources = Annotated[
    Annotated[Source, Tag("one")] | Annotated[list[Source], Tag("many"), Field(min_length=1)], _ONE_OR_MANY
]


class Image(StrictModel):
    """Where the picture comes from."""

    source: Sources = Field(description="A photo, a glob, a folder, or noise; or a list of them.")
    side: Side | None = Field(
        default=None, description="Longer side of the dream in pixels: smaller photos are enlarged, larger ones shrunk."
    )
    max_side: Annotated[int, Field(ge=16)] | None = Field(
        default=1024, description="Larger photos are shrunk to this size, unless side sets it; null: never."
    )
    size: tuple[Side, Side] = Field(default=(512, 512), description="Height and width, for noise.")
    panels: PanelCounts = Field(
        default=1,
        description="Number of pictures dreamed at once, side by side on one sheet; or rows and columns. Each has the "
        "size of the photo, or the given size.",
    )
    mean: Annotated[float, Field(ge=-1, le=1)] = Field(
        default=0.0, description="Brightness of noise, from black, -1, to white, 1: the mean of all values."
    )
    spread: Annotated[float, Field(ge=0)] = Field(
        default=0.1, description="Contrast of noise: the standard deviation of its values, on a scale of -1 to 1."
    )

    @model_validator(mode="after")
    def _one_side(self) -> Image:
        if self.side is None or self.max_side is None:
            return self
        if "max_side" in self.model_fields_set:
            raise PydanticCustomError("side", "either side, the size of the dream, or max_side, a limit")
        return self.model_copy(update={"max_side": None})

    @property
    def sources(self) -> list[str]:
        """``source`` as a list."""
        return [self.source] if isinstance(self.source, str) else self.source


class Tiles(StrictModel):
    """How the picture is cut for the network."""

    size: Annotated[int, Field(ge=32, le=65_536)] | Literal["auto"] = Field(
        default="auto", description="The network sees at most size × size pixels at once; auto: as memory allows."
    )
    halo: Annotated[int, Field(ge=0, le=16_384)] | Literal["auto", "exact"] = Field(
        default="auto",
        description="Pixels of context around each tile; exact: the whole receptive field, at ten times the cost.",
    )
    batch: Annotated[int, Field(ge=1, le=65_536)] | Literal["auto"] = Field(
        default="auto", description="Tiles that go through the network at once."
    )
    memory: Memory | Literal["auto"] = Field(
        default="auto",
        description="Memory for the tiles in progress, such as 500MB or 2GB; auto: the result of kerasdream tune, or "
        "an eighth of the machine's memory, at most 640MB.",
    )

    @property
    def bytes(self) -> int | None:
        """``memory`` in bytes; None for ``auto``."""
        return None if self.memory == "auto" else memory_bytes(self.memory)


class Crops(StrictModel):
    """The random windows of the picture that the network sees in each step, unless it sees tiles."""

    size: Annotated[int, Field(ge=16, le=16_384)] | Literal["auto"] = Field(
        default="auto",
        description="Height and width at which the network sees a window; auto: as trained.",
    )
    count: Annotated[int, Field(ge=1, le=256)] | Literal["auto"] = Field(
        default="auto",
        description="Windows in each step; auto: one for a class, else as many as cover the picture.",
    )
    side: scheduled(Annotated[float, Interval(gt=0, le=1)]) | None = Field(  # type: ignore[valid-type]
        default=None, description="Side of a window as a fraction of the picture's shorter side; null: size pixels."
    )
    spread: Annotated[float, Field(ge=0)] = Field(
        default=0.3,
        description="Standard deviation of a window's offset from the middle, as a fraction of the room it has.",
    )


class EngineOptions(StrictModel):
    """How the network computes."""

    precision: Literal["float32", "mixed"] = Field(
        default="float32", description="mixed: the network computes in bfloat16, which is faster on some processors."
    )
    jit: Literal["auto", "on", "off"] = Field(
        default="auto", description="Whether XLA compiles the step; auto: no, because it gains nothing on a CPU."
    )


class Frames(StrictModel):
    """Frame sequences: each frame dreams the previous one after zooming, panning or rotating it."""

    count: Annotated[int, Field(ge=1, le=100_000)] = Field(
        default=1, description="Number of frames; 1: a single picture."
    )
    zoom: Annotated[float, Field(gt=0, le=10)] = Field(
        default=1.05, description="Magnification from frame to frame, about the centre."
    )
    rotate: Annotated[float, Field(ge=-180, le=180)] = Field(
        default=0.0, description="Degrees from frame to frame, counter-clockwise, about the centre."
    )
    shift: tuple[Annotated[float, Field(ge=-1, le=1)], Annotated[float, Field(ge=-1, le=1)]] = Field(
        default=(0.0, 0.0), description="Down and to the right from frame to frame, as fractions of height and width."
    )
    anchor: bool = Field(
        default=False, description="Keep the mean and spread of each colour at the first frame's, to prevent drift."
    )


class Sum(StrictModel):
    """What applies to a whole sum of objectives."""

    weight: scheduled(float) = Field(default=1.0, description="Factor of the whole sum.")  # type: ignore[valid-type]
    mask: MaskFile | None = Field(default=None, description="Where the whole sum counts: a picture, white for fully.")


class RunFile(StrictModel):
    """The keys of a run file, except the parts."""

    version: Version = Field(default=VERSION, description="Version of the format of run files.")
    preset: str | None = Field(
        default=None,
        description="Start from this preset, a name or a YAML file; the other keys in this file override its settings.",
    )
    seed: Annotated[int, Field(ge=0, lt=2**32)] = Field(default=0, description="Seed of everything random.")
    strength: Annotated[float, Field(gt=0, le=10)] = Field(
        default=1.0, description="How far the dream goes: a factor of every step that the ascent takes."
    )
    plugins: list[FileName] = Field(default=[], description="Plugin files and folders, in this file's folder or below.")
    views: Views = Field(
        default="auto",
        description="Tiles, or crops; auto: crops if an objective is a class, or the network has no other choice.",
    )
    image: Image = Field(description="Where the picture comes from.")
    octaves: Octaves = Field(default_factory=Octaves, description="The sizes the dream goes through.")
    frames: Frames = Field(default_factory=Frames, description="Frame sequences.")
    tiles: Tiles = Field(default_factory=Tiles, description="How the picture is cut for the network.")
    crops: Crops = Field(default_factory=Crops, description="The windows that the network sees, instead of tiles.")
    engine: EngineOptions = Field(default_factory=EngineOptions, description="How the network computes.")


SECTIONS: Mapping[str, type[StrictModel]] = {
    key: field.annotation
    for key, field in RunFile.model_fields.items()
    if isinstance(field.annotation, type) and issubclass(field.annotation, StrictModel)
}
"""The keys that hold a mapping of settings, and its model."""


def written_out(key: str, value: Any) -> Any:
    """Return a section's value without the shorthand: ``photo.jpg`` → ``{source: photo.jpg}``."""
    return {SHORT[key]: value} if key in SECTIONS and key in SHORT and isinstance(value, (str, list)) else value
