"""Weights end to end: random, from a file, and, with a network connection, downloaded."""

import keras
import numpy as np
import pytest
import yaml
from PIL import Image

import kerasdream
from kerasdream import images
from kerasdream.config.recipes import load_any
from kerasdream.config.recorded import checksum
from kerasdream.config.resolve import load
from kerasdream.errors import ConfigError, ModelError
from kerasdream.models.applications import FACTORIES


def test_dream_from_a_weights_file_equals_the_dream_in_memory(chelsea, tmp_path):
    keras.utils.set_random_seed(3)
    network = FACTORIES["mobilenet"](weights=None)
    Image.fromarray(((chelsea + 1) * 127.5).round().astype("uint8")).save(tmp_path / "cat.png")
    network.model.save_weights(tmp_path / "mine.weights.h5")
    (tmp_path / "run.yaml").write_text(
        "image: {source: cat.png, max_side: 96}\n"
        "model: {name: mobilenet, weights: mine.weights.h5}\n"
        "objectives: [{l2: conv_pw_3_relu}]\n"
        "octaves: {count: 1, steps: 2}\n"
    )
    from_file = kerasdream.run(load(tmp_path / "run.yaml"))
    in_memory = kerasdream.dream(
        tmp_path / "cat.png", model=network, objectives={"l2": "conv_pw_3_relu"}, octaves={"count": 1, "steps": 2},
        max_side=96,
    )  # fmt: skip
    np.testing.assert_allclose(from_file.image, in_memory.image, atol=1e-5)
    assert np.abs(from_file.image - images.read(tmp_path / "cat.png", 96).pixels).mean() > 0.005
    manifest = yaml.safe_load(images.read_recipe(from_file.paths[0]))
    assert manifest["recipe"]["model"]["weights"] == "mine.weights.h5"
    assert manifest["files"] == {"mine.weights.h5": checksum(tmp_path / "mine.weights.h5")}
    load_any(from_file.paths[0])
    with (tmp_path / "mine.weights.h5").open("ab") as file:
        file.write(b"x")
    with pytest.raises(ConfigError, match="is not the file that"):
        load_any(from_file.paths[0])


@pytest.mark.network
def test_dream_with_downloaded_weights(chelsea):
    try:
        result = kerasdream.dream(
            chelsea,
            model="inception_v3",
            objectives=[{"l2": "mixed3"}, {"l2": "mixed5"}],
            octaves={"count": 1, "steps": 10},
        )
    except ModelError as error:
        pytest.skip(str(error))
    assert result.scores[-1] > 2 * result.scores[0]
