"""A small random backbone saved as a preset can be dreamed, and gets the input that KerasHub makes of a photo."""

import keras
import keras_hub as hub
import kerasdream_keras_hub
import numpy as np
import pytest
from kerasdream_keras_hub import keras_hub, preprocessing

import kerasdream
from kerasdream import ModelError, images
from kerasdream.testing import PHOTO, check_model, check_plugin

MEAN, SPREAD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def preset(tmp_path_factory):
    """The folder of a preset: a ResNet with two blocks, and ImageNet's scale and offset."""
    folder = tmp_path_factory.mktemp("preset")
    keras.utils.set_random_seed(0)
    stacks = {"stackwise_num_filters": [64, 64], "stackwise_num_blocks": [1, 1], "stackwise_num_strides": [1, 2]}
    stem = {"input_conv_filters": [64], "input_conv_kernel_sizes": [7]}
    hub.models.ResNetBackbone(**stem, **stacks, block_type="basic_block", name="small").save_to_preset(str(folder))
    scale, offset = list(1 / 255 / SPREAD), list(-MEAN / SPREAD)
    hub.layers.ImageConverter(image_size=(120, 160), scale=scale, offset=offset).save_to_preset(str(folder))
    return folder


def test_the_plugin_loads():
    assert check_plugin(kerasdream_keras_hub) == ["models/keras_hub"]


def test_a_backbone_is_a_network(preset):
    check_model(keras_hub, {"folder": str(preset)}, layer="stack1_block0_out")
    check_model(keras_hub, {"folder": str(preset), "weights": False}, layer="stack0_block0_out")


def test_the_input_is_what_keras_hub_makes_of_it(preset, photo):
    converter = hub.layers.ImageConverter.from_preset(str(preset))
    expected = np.asarray(converter((photo[None] + 1) * 127.5))
    np.testing.assert_allclose(keras_hub(folder=preset).preprocess(photo[None]), expected, atol=1e-3)


def test_the_weights_are_the_presets(preset, photo):
    theirs = hub.models.Backbone.from_preset(str(preset))
    network = keras_hub(folder=preset)
    inputs = network.preprocess(photo[None])
    np.testing.assert_allclose(network.model(inputs), theirs(inputs), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("scale", "offset", "ends"), [(None, None, (0, 255)), (1 / 255, 0.0, (0, 1)), (1 / 127.5, -1.0, (-1, 1))]
)
def test_ranges(scale, offset, ends):
    preprocess = preprocessing(scale, offset)
    assert (preprocess(np.float32(-1)), preprocess(np.float32(1))) == pytest.approx(ends, abs=1e-5)


def test_errors_name_the_cause(tmp_path, preset):
    with pytest.raises(ModelError, match="expected either preset"):
        keras_hub()
    with pytest.raises(ModelError, match=r"has no config\.json"):
        keras_hub(folder=tmp_path)
    with pytest.raises(ModelError, match="the preset 'no_such_preset' cannot be loaded"):
        keras_hub(preset="no_such_preset")


def test_a_run_file(tmp_path, preset):
    (tmp_path / "run.yaml").write_text(
        f"image: {PHOTO}\nmodel: {{name: keras_hub, folder: {preset}}}\n"
        "objectives: {l2: stack1_block0_out}\noctaves: {count: 2, steps: 3}\n"
    )
    result = kerasdream.run(tmp_path / "run.yaml", folder=tmp_path)
    assert result.scores[2] > result.scores[0]
    assert images.read_recipe(result.paths[0])
