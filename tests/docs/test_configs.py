"""The run files in configs/ run, and quickstart.yaml makes the picture that the README promises."""

from pathlib import Path

import keras
import numpy as np
import pytest
import yaml

import kerasdream
from kerasdream import images
from kerasdream.config.resolve import load

pytestmark = pytest.mark.no_cover

CONFIGS = Path(__file__).parents[2] / "configs"
SMALL = ["octaves.steps=1", "octaves.count=1"]
MADE_ELSEWHERE = {"quickstart", "inception_v3"}
"""The demo below, and a run file whose network has weights that Keras downloads."""


def test_run_file_of_a_downloaded_network_is_valid():
    assert load(CONFIGS / "inception_v3.yaml").model.name == "inception_v3"


@pytest.mark.parametrize("name", sorted({path.stem for path in CONFIGS.glob("*.yaml")} - MADE_ELSEWHERE))
def test_run_file_runs(name, tmp_path, my_own_model):
    overrides = [*SMALL, "image.max_side=96", "image.size=[64, 96]"]
    overrides += [f"model.file={my_own_model}"] if name == "my_own_model" else []
    overrides += ["frames.count=2"] if name == "zoom" else []
    result = kerasdream.run(load(CONFIGS / f"{name}.yaml", overrides), folder=tmp_path)
    assert sorted(result.paths) == sorted(tmp_path.iterdir())
    assert len(result.paths) == (3 if name == "zoom" else 1)
    for written in result.paths:
        picture = images.read(written)
        assert max(picture.pixels.shape) == 96
        assert yaml.safe_load(images.read_recipe(written))["recipe"]["octaves"]["steps"] == 1


def test_configs_are_listed_in_their_readme():
    text = (CONFIGS / "README.md").read_text()
    assert all(f"`{path.name}`" in text for path in CONFIGS.glob("*.yaml"))


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The picture of ``make demo``, quickstart.yaml, smaller; its full size is a proof."""
    folder = tmp_path_factory.mktemp("demo")
    (path,) = kerasdream.run(
        load(CONFIGS / "quickstart.yaml", ["image.max_side=256", "octaves.count=4"]), folder=folder
    ).paths
    assert path == folder / "raccoon-dream.png"
    return path


def source_of(dream):
    """Return the demo's photo at the size of a dream."""
    return images.read(CONFIGS / "photos" / "raccoon.jpg", max(dream.shape)).pixels


def test_demo_raises_the_layers_mean_square(demo, lite0):
    """mean(a²) of the layer, by plain Keras on the whole picture, before and after."""
    layer = lite0.model.get_layer("block11_expand")
    features = keras.Model(lite0.model.input, layer.output)
    dreamed = images.read(demo).pixels
    source = source_of(dreamed)
    assert dreamed.shape == source.shape
    before, after = (np.square(features(lite0.preprocess(p[None])).numpy()).mean() for p in (source, dreamed))
    assert after >= 2.5 * before  # at full size at least 4 times


def test_demo_is_not_clipped_and_still_resembles_the_photo(demo):
    dreamed = images.read(demo).pixels
    source = source_of(dreamed)
    assert (np.abs(dreamed) > 0.99).mean() < 0.03
    assert np.abs(dreamed.mean((0, 1)) - source.mean((0, 1))).max() < 0.1
    small = [images.resize(picture, (48, 64)) for picture in (source, dreamed)]
    assert np.corrcoef(small[0].ravel(), small[1].ravel())[0, 1] > 0.8


def test_demo_contains_its_recipe(demo):
    manifest = yaml.safe_load(images.read_recipe(demo))
    assert manifest["recipe"]["objectives"] == [{"l2": {"layer": "block11_expand", "weight": 1.0}}]
    assert manifest["source"]["name"] == "raccoon.jpg"
    assert manifest["versions"]["keras"] == keras.__version__
    assert "/" not in images.read_recipe(demo)  # base names only
