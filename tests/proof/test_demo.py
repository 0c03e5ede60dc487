"""The picture of ``make demo``, at its full size, is what the README promises."""

from pathlib import Path

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream import images

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.proof
def test_demo_raises_the_layers_mean_square_at_least_fourfold(tmp_path, lite0):
    """mean(a²) of the layer, by plain Keras on the whole picture, before and after."""
    (path,) = kerasdream.run(CONFIGS / "quickstart.yaml", folder=tmp_path).paths
    features = keras.Model(lite0.model.input, lite0.model.get_layer("block11_expand").output)
    source = images.read(CONFIGS / "photos" / "raccoon.jpg").pixels
    dreamed = images.read(path).pixels
    assert dreamed.shape == source.shape
    assert max(dreamed.shape) >= 768
    before, after = (np.square(features(lite0.preprocess(p[None])).numpy()).mean() for p in (source, dreamed))
    assert after >= 4 * before
    assert (np.abs(dreamed) > 0.99).mean() < 0.03
