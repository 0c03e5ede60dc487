"""The defaults suit small photos and dark ones: what the layer sees grows, the motif stays, and black stays black."""

import keras
import numpy as np
import pytest
import skimage.data
from scipy.ndimage import gaussian_filter

import kerasdream
from kerasdream import images


def square(lite0, picture):
    """Return mean(a²) of the layer by plain Keras, on the whole picture."""
    features = keras.Model(lite0.model.input, lite0.model.get_layer("block11_expand").output)
    return np.square(features(lite0.preprocess(picture[None])).numpy()).mean()


@pytest.mark.proof
def test_small_photo(lite0, chelsea):
    dreamed = kerasdream.dream(chelsea, model=lite0, objectives={"l2": "block11_expand"}).image
    assert square(lite0, dreamed) >= 4 * square(lite0, chelsea)
    forms = [gaussian_filter(images.luma(picture)[..., 0], 12).ravel() for picture in (chelsea, dreamed)]
    assert np.corrcoef(forms)[0, 1] > 0.98  # light and shade in the large: the cat


@pytest.mark.proof
@pytest.mark.parametrize("name", ["rocket", "hubble_deep_field"])
def test_dark_photo(lite0, name):
    """The mean colour of what is dark stays the photo's: no channel gains on the others by 5 of 255 levels."""
    photo = images.resize(getattr(skimage.data, name)().astype("float32") / 127.5 - 1, (360, 480)).clip(-1, 1)
    dreamed = kerasdream.dream(photo, model=lite0, objectives={"l2": "block11_expand"}).image
    assert square(lite0, dreamed) >= 4 * square(lite0, photo)
    dark = (images.luma(photo)[..., 0] + 1) / 2 < 0.2
    assert dark.mean() > 0.3
    change = (dreamed - photo)[dark].mean(0) * 127.5
    assert abs(change - change.mean()).max() < 5
    assert change.mean() < 16
    before, after = images.mean_spread(photo), images.mean_spread(dreamed)
    assert (abs(after[0] - before[0]) < before[1]).all()
