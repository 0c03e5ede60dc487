"""Texture for kerasdream: dreams that are drawn with the brushwork of another picture.

The statistics are Gram matrices, which features occur together, wherever in the picture: L. A. Gatys, A. S. Ecker,
M. Bethge, "Texture Synthesis Using Convolutional Neural Networks", NeurIPS 2015, https://arxiv.org/abs/1505.07376.
"""

from __future__ import annotations

from pathlib import Path

import click

import kerasdream
from kerasdream import ConfigError, LayerName, Objective, hookimpl, images, ops

DEFAULT_LAYERS = {"efficientnet_lite0": ("stem", "block1_expand", "block3_expand", "block5_expand")}
"""Layers that hold the texture of a picture well, by network."""


def texture(*, statistics: Path, layers: list[LayerName] | None = None) -> Objective:
    """Draws with the texture of another picture: its colours, strokes and patterns, wherever they were in it.

    ``kerasdream texture PHOTO`` makes the file of statistics. The score is minus the squared distance of the Gram
    matrices (Gatys et al. 2015), as a share of their square, averaged over layers: 0 is the same texture. It is one
    number for each tile, so tiles should be larger than the pattern.

    Args:
        statistics: the file that ``kerasdream texture PHOTO`` wrote, for the same network.
        layers: those to look at; all that are in the file by default.

    Raises:
        ConfigError: the file is missing, is no such file, or does not have a layer.
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
    """Returns how often features occur together: ``(n, h, w, channels)`` -> ``(n, channels, channels)``."""
    positions = ops.cast(ops.shape(activation)[1] * ops.shape(activation)[2], "float32")
    return ops.einsum("nhwc,nhwd->ncd", activation, activation) / positions


def statistics_of(network, picture, layers):
    """Returns layer -> Gram matrix ``(channels, channels)`` of a picture ``(height, width, 3)`` in [-1, 1]."""
    import numpy as np

    activations = kerasdream.feature_extractor(network.model, list(layers))(network.preprocess(picture[None]))
    return {layer: np.asarray(gram(activations[layer]))[0] for layer in layers}


def save_statistics(path, statistics):
    """Writes statistics to a ``.npz`` file, whole or not at all."""
    import numpy as np

    with images.replacing(path) as file:
        np.savez(file, **statistics)


def _read(path):
    import numpy as np

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
    @click.option("--layer", "layers", multiple=True, help="A layer to look at; may be given several times.")
    @click.option("--max-side", default=512, show_default=True, help="Larger photos are shrunk to this.")
    def command(photo, output, model, layers, max_side):
        """Takes the texture of a PHOTO, for the objective of this name."""
        layers = layers or DEFAULT_LAYERS.get(model)
        if not layers:
            raise ConfigError(f"which layers of {model} hold a texture? Give some with --layer")
        picture = images.read(photo, max_side).pixels
        objectives = [{"l2": {"layer": layer}} for layer in layers]  # so that their names are checked
        config = kerasdream.load_config({"image": "noise", "model": model, "objectives": objectives})
        network = kerasdream.build_network(config)
        output = output or photo.with_suffix(".npz")
        save_statistics(output, statistics_of(network, picture, layers))
        click.echo(output)
