"""What an atlas shows: its tiles, what stands beside them, and the run that draws each. All of it plain data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasdream.models import imagenet
from kerasdream.models.tables import Layer
from kerasdream.objectives.vectors import check_channels

PHOTO = Path(__file__).with_name("raccoon.jpg")
"""A raccoon, public domain (public-domain-image.com, raccoon-procyon-lotor), 288 pixels wide."""

LAYERS: Mapping[str, Sequence[str]] = {
    "efficientnet_lite0": [f"block{number}_expand" for number in range(1, 16)],
    "inception_v3": [f"mixed{number}" for number in range(11)],
}
"""The layers an atlas shows where none are named; of other networks ``COUNT``, evenly spaced."""

LINEAR: Mapping[str, Sequence[str]] = {
    "efficientnet_lite0": [f"block{number}_add" for number in (2, 4, 6, 7, 9, 10, 12, 13, 14)],
}
"""The same for single channels: layers without a ReLU behind them, whose channels all have a slope, even in noise."""

COUNT = 12

BETWEEN = re.compile(r"pad|bn\b|_bn|norm|dropout|rescaling", re.IGNORECASE)
"""Layers that only prepare what others compute."""

RATES = {2: 0.01, 4: 0.02, 8: 0.025, 16: 0.02}
"""Stride up to which a layer takes this rate in a photo; the photo stays to be seen, what is drawn is drawn clearly."""

DEEPEST: Mapping[str, Any] = {
    "priors": [{"total_variation": {"weight": 4}}],
    "ascent": ["normalize", {"rate": 0.018}],
}
"""What layers of larger stride take, and twice the steps: a smoother picture, or they draw grain rather than things."""

MEANINGS = (
    (16, "edges and spots of colour"),
    (64, "strokes, corners and simple textures"),
    (160, "ornament, textures and first round shapes, such as eyes"),
    (400, "parts of things: eyes, muzzles, wheels, windows"),
)
"""Receptive field below which a layer can tell this; one that sees more, whole animals and things."""


class Tile(NamedTuple):
    """One picture: the name of its file without ending, what stands under it, and the objective that draws it."""

    file: str
    name: str
    objective: Mapping[str, Any]
    layer: Layer | None = None


class Section(NamedTuple):
    """Tiles that belong together; under the heading of a layer, if they are its channels."""

    tiles: Sequence[Tile]
    layer: Layer | None = None


class Atlas(NamedTuple):
    """All that is shown of one network; ``photo`` is the photo that is dreamed, None where noise is."""

    model: str
    title: str
    sections: Sequence[Section]
    columns: int
    photo: Path | None = None

    @property
    def tiles(self) -> list[Tile]:
        """The tiles of all sections."""
        return [tile for section in self.sections for tile in section.tiles]


def default_layers(model: str, known: Sequence[Layer], channels: bool) -> list[str]:
    """Returns the layers worth showing where none are named, in the order of the network; or whose channels are."""
    names = LINEAR.get(model, LAYERS.get(model, ())) if channels else LAYERS.get(model, ())
    if names:
        return list(names)
    fit = [layer.name for layer in known if layer.stride and not BETWEEN.search(layer.name)]
    count = min(COUNT, len(fit))
    return [fit[round((index + 1) * len(fit) / count) - 1] for index in range(count)]


def of_layers(model: str, layers: Sequence[Layer], photo: Path | None) -> Atlas:
    """Returns an atlas with a picture for each layer: what it amplifies in one photo, or in noise."""
    tiles = [Tile(_file(layer.name), layer.name, {"l2": {"layer": layer.name}}, layer) for layer in layers]
    return Atlas(model, f"{model}: what each layer amplifies", [Section(tiles)], 4 if len(tiles) > 6 else 3, photo)


def of_channels(model: str, layers: Sequence[Layer], channels: Sequence[int]) -> Atlas:
    """Returns an atlas with a row for each layer, a picture for each of its channels.

    Raises:
        ModelError: a layer has not all of them.
    """
    for layer in layers:
        check_channels(layer.name, layer.channels, channels)
    sections = [Section([_channel(layer, number) for number in channels], layer) for layer in layers]
    return Atlas(model, f"{model}: what single channels look for", sections, min(8, len(channels)))


def of_classes(model: str, classes: Sequence[int], names: bool) -> Atlas:
    """Returns an atlas with a picture for each class; ``names``: they are those of ImageNet."""

    def tile(index: int) -> Tile:
        known = names and index < imagenet.COUNT
        name = f"{index} {imagenet.classes()[index][0]}" if known else f"class {index}"
        return Tile(f"class-{index}", name, {"class": {"index": index}})

    return Atlas(model, f"{model}: what it calls by a name", [Section([*map(tile, classes)])], min(5, len(classes)))


def run_of(atlas: Atlas, tile: Tile, size: int) -> dict[str, Any]:
    """Returns the run file that draws a tile, but for the key ``model``.

    A layer takes a photo through four octaves. Channels and classes are drawn from noise in one octave of waves, as in
    Lucid (``docs/catalogue/parametrizations.md``).
    """
    run: dict[str, Any] = {"objectives": [tile.objective], "outputs": [{"png": {"path": f"{tile.file}.png"}}]}
    if tile.layer is not None and "l2" in tile.objective:
        rates = [rate for stride, rate in RATES.items() if 0 < tile.layer.stride <= stride]
        ascent: Mapping[str, Any] = {"ascent": ["normalize", {"rate": rates[0]}]} if rates else DEEPEST
        octaves = {"count": 4, "scale": 1.4, "steps": 20 if rates else 40, "detail": atlas.photo is not None}
        image = {"source": str(atlas.photo), "max_side": size} if atlas.photo else _noise(size)
        return run | ascent | {"image": image, "octaves": octaves}
    classes = "class" in tile.objective
    return run | {
        "image": _noise(size),
        "parametrization": "fourier",
        "priors": [{"total_variation": {"weight": 1}}] if classes else [],
        "transforms": ["jitter", "scale", "rotate"] if classes else [{"jitter": {"pixels": 16}}],
        "ascent": ["adam", {"rate": 0.05}],
        "octaves": {"count": 1, "steps": 192 if classes else 128},
    }


def facts(layer: Layer) -> str:
    """What is known of a layer, in a few words."""
    words = [f"{layer.channels} channels"] if layer.channels else []
    words += [f"stride {layer.stride}"] if layer.stride else []
    return ", ".join([*words, f"sees {layer.field} px" if layer.field else "sees all of the picture"])


def meaning(layer: Layer) -> str:
    """What the depth of a layer means, in a sentence."""
    if not layer.stride:
        return "Position is gone: it answers for the picture as a whole."
    step = f"one for every {layer.stride} pixels" if layer.stride > 1 else "one for each pixel"
    if not layer.field:
        return f"Each of its positions, {step}, sees the whole picture."
    seen = next((what for field, what in MEANINGS if layer.field < field), "whole animals and things")
    return f"Each of its positions, {step}, sees {layer.field}×{layer.field} pixels: enough for {seen}."


def indices(text: str, names: bool = False) -> Iterator[int]:
    """Yields the numbers of a list such as ``0:16`` (0 to 15), ``3,7`` or ``0:4,40``; with ``names``, also those of
    classes that stand there by name.

    Raises:
        ValueError: it is no such list.
        ConfigError: there is no class with a name, or there are two.
    """
    for part in text.split(","):
        first, colon, stop = (word.strip() for word in part.partition(":"))
        if colon and first.isdecimal() and stop.isdecimal() and int(first) < int(stop):
            yield from range(int(first), int(stop))
        elif not colon and first.isdecimal():
            yield int(first)
        elif names and first and not colon:
            yield imagenet.index_of(first)
        else:
            raise ValueError(part.strip())


def _channel(layer: Layer, number: int) -> Tile:
    objective = {"channel": {"layer": layer.name, "channel": number}}
    return Tile(f"{_file(layer.name)}-channel-{number}", f"channel {number}", objective, layer)


def _noise(size: int) -> dict[str, Any]:
    return {"source": "noise", "size": [size, size], "spread": 0.1}


def _file(layer: str) -> str:
    """A layer's name as that of a file."""
    return re.sub(r"[^\w.-]+", "-", layer)
