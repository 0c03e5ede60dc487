"""Contents of an atlas: its tiles, their captions, and the run that draws each. All of it is plain data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from kerasdream.errors import ModelError
from kerasdream.models import imagenet
from kerasdream.models.tables import Layer

PHOTO = Path(__file__).with_name("raccoon.jpg")
"""A raccoon, public domain (public-domain-image.com, raccoon-procyon-lotor), 288 pixels wide."""

LAYERS: Mapping[str, Sequence[str]] = {
    "efficientnet_lite0": [f"block{number}_expand" for number in range(1, 16)],
    "inception_v3": [f"mixed{number}" for number in range(11)],
}
"""The default layers of an atlas; for other networks, ``COUNT`` layers, evenly spaced."""

LINEAR: Mapping[str, Sequence[str]] = {
    "efficientnet_lite0": [f"block{number}_add" for number in (2, 4, 6, 7, 9, 10, 12, 13, 14)],
}
"""The same for single channels: layers not followed by a ReLU, whose channels all have a gradient, even in noise."""

COUNT = 12

BETWEEN = re.compile(r"pad|bn\b|_bn|norm|dropout|rescaling", re.IGNORECASE)
"""Layers that only prepare the input of others."""

RATES = {2: 0.01, 4: 0.02, 8: 0.025, 16: 0.02}
"""Largest stride -> rate in a photo: large enough to draw clearly, small enough to keep the photo recognisable."""

DEEPEST: Mapping[str, Any] = {
    "priors": [{"total_variation": {"weight": 2}}],
    "ascent": ["normalize", {"rate": 0.018}],
}
"""Settings for layers of larger stride, with twice the steps: without smoothing they draw grain rather than objects."""

MEANINGS = (
    (16, "edges and spots of colour"),
    (64, "strokes, corners and simple textures"),
    (160, "ornament, textures and first round shapes, such as eyes"),
    (400, "parts of objects: eyes, muzzles, wheels, windows"),
)
"""Receptive field -> what a layer with a smaller one can detect; larger ones detect whole animals and objects."""

OF_LAYERS = """Each layer amplified whatever it found in {}. The result shows what that layer emphasises. Look at the
pictures from the first to the last: the first layers see a few pixels at a time and detect colours and edges; every
later layer combines what earlier ones found over a larger patch, and so detects textures, parts of objects and finally
whole objects."""

OF_CHANNELS = """A channel is one detector of a layer: it looks for the same feature everywhere. Each picture began as
noise and was changed step by step until its channel responded strongly, so it shows what that one channel looks for.
Look at them from the first layer to the last: the early ones see a few pixels at a time and look for lines and
weaves, the later ones for textures and parts of objects, combined from what earlier layers found. Where a place is
empty, nothing in the noise excited the channel."""

OF_CLASSES = """Each picture began as noise and was changed step by step into what the network calls by the name below
it. It does not show the object as a photo would, but the features by which the network recognises it: they may appear
several times and in odd places, along with whatever usually surrounds the object."""


class Tile(NamedTuple):
    """One picture: the name of its file without extension, its caption, and the objective that draws it."""

    file: str
    name: str
    objective: Mapping[str, Any]
    layer: Layer | None = None


class Section(NamedTuple):
    """Tiles that belong together; under the heading of a layer if they are its channels."""

    tiles: Sequence[Tile]
    layer: Layer | None = None


class Atlas(NamedTuple):
    """Everything shown of one network.

    Attributes:
        lead: introduction for readers to whom this is new.
        photo: the photo that is dreamed; None for noise.
    """

    model: str
    title: str
    lead: str
    sections: Sequence[Section]
    columns: int
    photo: Path | None = None

    @property
    def tiles(self) -> list[Tile]:
        """The tiles of all sections."""
        return [tile for section in self.sections for tile in section.tiles]


def default_layers(model: str, known: Sequence[Layer], channels: bool) -> list[str]:
    """Return the layers shown by default, in the order of the network; with ``channels``, those whose channels are."""
    names = LINEAR.get(model, LAYERS.get(model, ())) if channels else LAYERS.get(model, ())
    if names:
        return list(names)
    fit = [layer.name for layer in known if layer.stride and not BETWEEN.search(layer.name)]
    count = min(COUNT, len(fit))
    return [fit[round((index + 1) * len(fit) / count) - 1] for index in range(count)]


def of_layers(model: str, layers: Sequence[Layer], photo: Path | None) -> Atlas:
    """Return an atlas with a picture for each layer: what it amplifies in one photo, or in noise."""
    tiles = [Tile(_file(layer.name), layer.name, {"l2": {"layer": layer.name}}, layer) for layer in layers]
    title, lead = f"{model}: what each layer amplifies", OF_LAYERS.format("this photo" if photo else "noise")
    return Atlas(model, title, lead, [Section(tiles)], 4 if len(tiles) > 6 else 3, photo)


def of_channels(model: str, layers: Sequence[Layer], channels: Sequence[int]) -> Atlas:
    """Return an atlas with a row for each layer and a picture for each of its channels.

    Raises:
        ModelError: a layer does not have all of these channels.
    """
    for layer in layers:
        if layer.channels and max(channels) >= layer.channels:
            raise ModelError(
                f"the layer {layer.name!r} has {layer.channels} channels; expected 0 to {layer.channels - 1}, "
                f"not {max(channels)}"
            )
    sections = [Section([_channel(layer, number) for number in channels], layer) for layer in layers]
    return Atlas(model, f"{model}: what single channels look for", OF_CHANNELS, sections, min(8, len(channels)))


def of_classes(model: str, classes: Sequence[int], names: bool) -> Atlas:
    """Return an atlas with a picture for each class; ``names``: whether they are the classes of ImageNet."""

    def tile(index: int) -> Tile:
        known = names and index < imagenet.COUNT
        name = f"{index} {imagenet.classes()[index][0]}" if known else f"class {index}"
        return Tile(f"class-{index}", name, {"class": {"index": index}})

    title, tiles = f"{model}: what its classes look like", [*map(tile, classes)]
    return Atlas(model, title, OF_CLASSES, [Section(tiles)], min(5, len(classes)))


def without(atlas: Atlas, files: Collection[str]) -> Atlas:
    """Return an atlas without the tiles of these files."""
    kept = [
        section._replace(tiles=[tile for tile in section.tiles if tile.file not in files]) for section in atlas.sections
    ]
    return atlas._replace(sections=[section for section in kept if section.tiles])


def run_of(atlas: Atlas, tile: Tile, size: int) -> dict[str, Any]:
    """Return the run file that draws a tile, except for the key ``model``.

    A layer takes a photo through four octaves. Channels and classes are drawn from noise in one octave in Fourier
    space, as in Lucid (``docs/catalogue/parametrizations.md``).
    """
    run: dict[str, Any] = {"objectives": [tile.objective], "outputs": [{"png": {"path": f"{tile.file}.png"}}]}
    if tile.layer is not None and "l2" in tile.objective:
        rates = [rate for stride, rate in RATES.items() if 0 < tile.layer.stride <= stride]
        ascent: dict[str, Any] = {"ascent": ["normalize", {"rate": rates[0]}]} if rates else dict(DEEPEST)
        octaves = {"count": 4, "scale": 1.4, "steps": 20 if rates else 40, "detail": atlas.photo is not None}
        image = {"source": str(atlas.photo), "max_side": size} if atlas.photo else _noise(size)
        return run | ascent | {"image": image, "octaves": octaves}
    classes = "class" in tile.objective
    return run | {
        "image": _noise(size),
        "parametrization": "fourier",
        "priors": [{"total_variation": {"weight": 1, "scale": "absolute"}}] if classes else [],
        "transforms": ["jitter", "scale", "rotate"] if classes else [{"jitter": {"pixels": 16}}],
        "ascent": ["adam", {"rate": 0.05}],
        "octaves": {"count": 1, "steps": 192 if classes else 128},
    }


def counts(layer: Layer) -> list[str]:
    """Return the channels and the stride of a layer, if it has them."""
    channels = [f"{layer.channels} channels"] if layer.channels else []
    return channels + ([f"stride {layer.stride}"] if layer.stride else [])


def facts(layer: Layer) -> str:
    """Describe a layer in a few words."""
    return ", ".join([*counts(layer), f"sees {layer.field} px" if layer.field else "may see all of the picture"])


def meaning(layer: Layer) -> str:
    """Explain in a sentence what the depth of a layer means."""
    if not layer.stride:
        return "Responds once, to the picture as a whole."
    if not layer.field:
        return "May see the whole picture at a time."
    seen = next((what for field, what in MEANINGS if layer.field < field), "whole animals and objects")
    return f"Sees {layer.field}×{layer.field} pixels at a time: enough for {seen}."


def indices(text: str, names: bool = False) -> Iterator[int]:
    """Yield the numbers of a list such as ``0:16`` (0 to 15), ``3,7`` or ``0:4,40``; with ``names``, also of classes
    given by name.

    Raises:
        ValueError: the text is not such a list.
        ConfigError: a name does not belong to exactly one class.
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
    """Return a layer's name as a file name."""
    return re.sub(r"[^\w.-]+", "-", layer)
