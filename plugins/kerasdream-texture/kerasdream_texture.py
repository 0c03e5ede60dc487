"""Texture for kerasdream: dreams drawn with the brushwork of another picture.

The statistics are Gram matrices: which features occur together, anywhere in the picture. L. A. Gatys, A. S. Ecker,
M. Bethge, "Texture Synthesis Using Convolutional Neural Networks", NeurIPS 2015, https://arxiv.org/abs/1505.07376.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

import kerasdream
from kerasdream import ConfigError, LayerName, Objective, hookimpl, images, ops

DEFAULT_LAYERS = {
    "efficientnet_lite0": ("stem", "block1_expand", "block3_expand", "block5_expand"),
    "efficientnet_lite1": ("stem", "block1_expand", "block4_expand", "block7_expand"),
}
"""Layers that represent texture well, by network."""


def texture(*, statistics: Path, layers: list[LayerName] | None = None) -> Objective:
    """Draws with the texture of another picture: its colours, strokes and patterns, regardless of their position.

    ``kerasdream texture PHOTO`` writes the file of statistics. The score is minus the squared distance of the Gram
    matrices (Gatys et al. 2015), relative to their square, averaged over layers: 0 means the same texture. It is one
    number for each tile, so tiles should be larger than the pattern.

    Args:
        statistics: file written by ``kerasdream texture PHOTO``, for the same network.
        layers: the layers to compare; by default all in the file.

    Raises:
        ConfigError: the file is missing or is not such a file, or it lacks a layer.
    """
    targets = _read(statistics)
    missing = [layer for layer in layers or () if layer not in targets]
    if missing:
        raise ConfigError(f"{statistics.name} has no statistics of {', '.join(missing)}; it has {', '.join(targets)}")
    wanted = list(layers or targets)

    def score(activations):
        distance = 0.0
        for layer in wanted:
            target = targets[layer]
            distance += ops.mean((gram(activations[layer]) - target) ** 2, axis=(1, 2)) / float((target**2).mean())
        return -distance / len(wanted)

    return Objective(wanted, score)


def gram(activation):
    """Return how often features occur together: ``(n, h, w, channels)`` -> ``(n, channels, channels)``."""
    positions = ops.cast(ops.shape(activation)[1] * ops.shape(activation)[2], "float32")
    return ops.einsum("nhwc,nhwd->ncd", activation, activation) / positions


def statistics_of(network, picture, layers):
    """Return layer -> Gram matrix ``(channels, channels)`` of a picture ``(height, width, 3)`` in [-1, 1]."""
    activations = kerasdream.feature_extractor(network.model, list(layers))(network.preprocess(picture[None]))
    return {layer: np.asarray(gram(activations[layer]))[0] for layer in layers}


def save_statistics(path, statistics):
    """Write statistics to a ``.npz`` file atomically."""
    with images.replacing(path) as file:
        np.savez(file, **statistics)


def _read(path):
    try:
        with np.load(path, allow_pickle=False) as file:
            return {layer: file[layer] for layer in file.files}
    except FileNotFoundError:
        raise ConfigError(
            f"the texture {path} does not exist; kerasdream texture PHOTO -o {path.name} makes it"
        ) from None
    except (OSError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} is not a file that kerasdream texture wrote: {error}") from None


@hookimpl
def register_objectives(register):
    register(texture)


@hookimpl
def register_commands(cli):
    @cli.command("texture")
    @click.argument("photo", type=click.Path(path_type=Path))
    @click.option("-o", "--output", type=click.Path(path_type=Path), help="File to write; PHOTO.npz by default.")
    @click.option("--model", default="efficientnet_lite0", show_default=True, help="The network to dream with.")
    @click.option("--layer", "layers", multiple=True, help="A layer to use; may be repeated.")
    @click.option("--max-side", default=512, show_default=True, help="Longest side; larger photos are shrunk.")
    def command(photo, output, model, layers, max_side):
        """Writes the texture of a PHOTO, for the objective of the same name."""
        layers = layers or DEFAULT_LAYERS.get(model)
        if not layers:
            raise ConfigError(f"no default texture layers for {model}; name some with --layer")
        picture = images.read(photo, max_side).pixels
        objectives = [{"l2": {"layer": layer}} for layer in layers]  # to validate the layer names
        config = kerasdream.load_config({"image": "noise", "model": model, "objectives": objectives})
        network = kerasdream.build_network(config)
        output = output or photo.with_suffix(".npz")
        save_statistics(output, statistics_of(network, picture, layers))
        click.echo(output)
