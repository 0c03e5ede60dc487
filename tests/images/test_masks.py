"""Masks read from pictures."""

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from kerasdream.errors import ImageError
from kerasdream.images.masks import Mask


@pytest.fixture
def half(tmp_path):
    """A mask: the right half of the picture."""
    mask = np.zeros((40, 60), "uint8")
    mask[:, 30:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


def test_feathered_mask_is_soft_and_scales_with_the_picture(half):

    for size in (60, 240):
        soft = Mask(path=half, feather=0.5).resized((size, 2 * size))
        row = soft[size // 2]
        assert 0.45 < row[size] < 0.55
        np.testing.assert_array_less(row[:-1], row[1:] + 1e-4)
        assert row[size + size // 4] == pytest.approx(0.84, abs=0.03)  # one standard deviation of a normal
    hard = Mask(path=half).resized((400, 500))
    for feather in (0.1, 0.2, 0.5):  # the last two are blurred small
        np.testing.assert_allclose(
            Mask(path=half, feather=feather).resized((400, 500)),
            gaussian_filter(hard, feather * 200, mode="nearest"),
            atol=4e-3,
        )
    with pytest.raises(ImageError):
        Mask(path=half.with_name("none.png")).resized((10, 10))
