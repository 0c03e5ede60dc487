"""KerasHub for kerasdream: its image backbones as networks to dream with, each with its own input range."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from kerasdream import ModelError, Network, hookimpl


def keras_hub(*, preset: str = "", folder: Path | None = None, weights: bool = True) -> Network:
    """An image backbone of KerasHub: ResNet, EfficientNet, ViT, DINOv2, the vision side of CLIP and SigLIP, and more.

    The blocks of a transformer are layers, ``transformer_block_6`` for example, even where KerasHub hides them.

    The range of its input is read from the preset's own image converter, never guessed.

    Args:
        preset: name of a preset, ``resnet_50_imagenet``, or a handle, ``hf://...`` or ``kaggle://...``; KerasHub
            downloads it on first use. See https://keras.io/keras_hub/presets.
        folder: instead of ``preset``: a folder written by ``backbone.save_to_preset(folder)``.
        weights: false for random weights.

    Raises:
        ModelError: the preset does not exist, cannot be downloaded or is not for images.
    """
    if bool(preset) == bool(folder):
        raise ModelError("keras_hub: expected either preset, such as resnet_50_imagenet, or folder")
    name = preset or str(folder)
    if folder and not (folder / "config.json").is_file():
        raise ModelError(f"keras_hub: {folder} does not contain a saved preset (it has no config.json)")
    import keras_hub as hub

    try:
        backbone = hub.models.Backbone.from_preset(name, load_weights=weights)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(
            f"keras_hub: the preset {name!r} cannot be loaded: {_first_line(error)}; without a network connection, "
            "save it to a folder on a machine that has one (backbone.save_to_preset) and set folder"
        ) from error
    try:
        converter = hub.layers.ImageConverter.from_preset(name)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"keras_hub: the preset {name!r} does not describe its input: {_first_line(error)}") from error
    vision = getattr(backbone, "vision_encoder", backbone)  # CLIP and SigLIP have a side for text too
    model = with_blocks(vision)
    prefix = f"{vision.name}_"  # of every layer, in saved backbones
    aliases = {layer.name.removeprefix(prefix): layer.name for layer in model.layers}
    return Network(vision.name, model, preprocessing(converter.scale, converter.offset), aliases)


def with_blocks(backbone):
    """Return a transformer with each block of its encoder as a layer, where KerasHub hides them inside one layer.

    Other backbones are returned as they are. The layers are the backbone's own, not copies.
    """
    import keras

    hidden = {layer.name: blocks for layer in backbone.layers if (blocks := _blocks(layer))}
    if not hidden:
        return backbone

    def call(layer, *args, **kwargs):
        if layer.name not in hidden:
            return layer(*args, **kwargs)
        x = args[0]
        for block in hidden[layer.name]:
            x = block(x)
        norm = getattr(layer, "layer_norm", None)
        return x if norm is None else norm(x)

    graph = keras.Model(backbone.inputs, backbone.outputs, name=backbone.name)
    return keras.models.clone_model(graph, clone_function=lambda layer: layer, call_function=call)


def _blocks(layer):
    """Return the blocks of an encoder of ViT or DINOv2, which call one after the other; of any other layer, nothing."""
    attribute = {"ViTEncoder": "encoder_layers", "DINOV2Encoder": "layers"}.get(type(layer).__name__)
    return list(getattr(layer, attribute)) if attribute else []


def preprocessing(scale, offset):
    """Return the map from [-1, 1] to what KerasHub's image converter makes of 0 to 255: ``x * scale + offset``.

    Args:
        scale, offset: a number, one number for each of R, G and B, or None.
    """
    factor = np.asarray(1.0 if scale is None else scale, "float32")
    shift = np.asarray(0.0 if offset is None else offset, "float32")

    def preprocess(picture):
        return (picture + 1) * 127.5 * factor + shift

    return preprocess


def _first_line(error):
    return str(error).strip().partition("\n")[0]


@hookimpl
def register_models(register):
    register(keras_hub)
