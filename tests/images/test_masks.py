"""Masks: their values at a size, and what a recipe records."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from kerasdream.errors import ImageError
from kerasdream.images.masks import Mask
from tests.images.pictures import put


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


def test_mask_counts_where_it_is_white_and_opaque(tmp_path):
    levels = np.zeros((40, 60, 4), np.uint8)
    levels[:, 30:, :3] = 255
    levels[:20, :, 3] = 255
    mask = Mask(put(tmp_path / "half.png", levels))
    share = mask.resized((20, 30))
    assert share.dtype == np.float32
    assert share[:9, 17:].min() > 0.95
    assert share[:, :13].max() < 0.05
    assert share[11:].max() < 0.05
    np.testing.assert_allclose(Mask(mask.path, invert=True).resized((20, 30)), 1 - share, atol=1e-6)


def test_mask_without_a_picture_counts_everywhere():
    assert (Mask().resized((3, 4)) == 1).all()
    assert (Mask(invert=True).resized((3, 4)) == 0).all()


def test_recipe_records_the_name_without_the_folder():
    assert Mask(Path("/photos/mask.png"), panels=(0, 2)).plain == {
        "path": "mask.png",
        "feather": 0.0,
        "invert": False,
        "panels": [0, 2],
    }
    assert Mask(panels=(1,)).plain == {"feather": 0.0, "invert": False, "panels": [1]}
