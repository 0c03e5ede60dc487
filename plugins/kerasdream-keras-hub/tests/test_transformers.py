"""Vision transformers of KerasHub: their blocks are layers, their tokens maps, and they can be dreamed."""

import keras
import keras_hub as hub
import numpy as np
import pytest
from kerasdream_keras_hub import keras_hub, with_blocks

import kerasdream
from kerasdream import ModelError
from kerasdream.testing import PHOTO

SIDE = 32
SHAPE = {"image_shape": (SIDE, SIDE, 3)}
SMALL = {"patch_size": 8, "num_layers": 2, "hidden_dim": 16, "num_heads": 2, **SHAPE}
TEXT = {"vocabulary_size": 20, "embedding_dim": 16, "hidden_dim": 16, "num_layers": 1, "num_heads": 2}


def clip():
    vision = hub.models.CLIPVisionEncoder(**SMALL, intermediate_dim=32)
    text = hub.models.CLIPTextEncoder(**TEXT, intermediate_dim=32, max_sequence_length=8)
    return hub.models.CLIPBackbone(vision, text, projection_dim=16)


def siglip():
    vision = hub.models.SigLIPVisionEncoder(**SMALL, intermediate_dim=32)
    text = hub.models.SigLIPTextEncoder(**TEXT, intermediate_dim=32, max_sequence_length=8)
    return hub.models.SigLIPBackbone(vision, text)


BACKBONES = {
    "vit": (lambda: hub.models.ViTBackbone(**SMALL, mlp_dim=32), "transformer_block_2"),
    "dinov2": (
        lambda: hub.models.DINOV2Backbone(
            **SMALL, intermediate_dim=32, num_register_tokens=4, position_embedding_shape=(SIDE, SIDE, 3)
        ),
        "layers_1",
    ),
    "clip": (clip, "encoder_block_1"),
    "siglip": (siglip, "encoder_block_1"),
}


@pytest.fixture(scope="module", params=BACKBONES)
def saved(request, tmp_path_factory):
    """The folder of a preset with random weights, its backbone and the name of its last block."""
    make, block = BACKBONES[request.param]
    keras.utils.set_random_seed(0)
    backbone = make()
    folder = tmp_path_factory.mktemp(request.param)
    backbone.save_to_preset(str(folder))
    hub.layers.ImageConverter(image_size=(SIDE, SIDE), scale=1 / 127.5, offset=-1.0).save_to_preset(str(folder))
    return folder, backbone, block


def test_a_block_is_a_map_and_dreams(saved, tmp_path):
    folder, backbone, block = saved
    (tmp_path / "run.yaml").write_text(
        f"image: {PHOTO}\nmodel: {{name: keras_hub, folder: {folder}}}\nobjectives: {{l2: {block}}}\n"
        "priors: []\noctaves: {count: 1, steps: 4}\n"
    )
    result = kerasdream.run(tmp_path / "run.yaml", folder=tmp_path)
    assert result.scores[-1] > result.scores[0]
    network = keras_hub(folder=folder)
    pictures = np.random.default_rng(0).normal(size=(2, SIDE, SIDE, 3)).astype("float32")
    layer = network.aliases[block]
    assert kerasdream.feature_extractor(network.model, [layer])(pictures)[layer].shape == (2, 4, 4, 16)
    vision = getattr(backbone, "vision_encoder", backbone)
    np.testing.assert_allclose(network.model(pictures), vision(pictures), atol=1e-5)


def test_the_blocks_are_the_backbones_own():
    backbone = hub.models.ViTBackbone(**SMALL, mlp_dim=32)
    (encoder,) = (layer for layer in backbone.layers if layer.name == "vit_encoder")
    layers = with_blocks(backbone).layers
    assert [layer for layer in layers if layer in encoder.encoder_layers] == list(encoder.encoder_layers)


@pytest.mark.network
@pytest.mark.parametrize(
    "preset", ["vit_base_patch16_224_imagenet", "clip_vit_base_patch16", "siglip_base_patch16_224"]
)
def test_published_weights_know_a_photo(preset):
    """The map of the last block differs from place to place, which random weights barely achieve."""
    try:
        network = keras_hub(preset=preset)
    except ModelError as error:
        pytest.skip(str(error))
    block = [layer.name for layer in network.model.layers if "block_" in layer.name][-1]
    photo = kerasdream.images.resize(kerasdream.images.read(PHOTO).pixels, (224, 224))[None]
    seen = np.asarray(kerasdream.feature_extractor(network.model, [block])(network.preprocess(photo))[block])
    assert seen.shape[1:3] == (14, 14)
    assert seen.std((1, 2)).mean() > 0.1 * abs(seen).mean()
