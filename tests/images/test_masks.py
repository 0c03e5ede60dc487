"""Masks: their values at a size, and what a recipe records."""

from pathlib import Path

import numpy as np
import pytest

from kerasdream.images.masks import COARSE, Mask
from tests.images.pictures import put


@pytest.fixture
def half(tmp_path):
    """Black on the left, white on the right, its lower half transparent."""
    levels = np.zeros((40, 60, 4), np.uint8)
    levels[:, 30:, :3] = 255
    levels[:20, :, 3] = 255
    return put(tmp_path / "half.png", levels)


def test_mask_counts_where_it_is_white_and_opaque(half):
    share = Mask(half).resized((20, 30))
    assert share.dtype == np.float32
    assert share[:9, 17:].min() > 0.95
    assert share[:, :13].max() < 0.05
    assert share[11:].max() < 0.05
    np.testing.assert_allclose(Mask(half, invert=True).resized((20, 30)), 1 - share, atol=1e-6)


def test_mask_without_a_picture_counts_everywhere():
    assert (Mask().resized((3, 4)) == 1).all()
    assert (Mask(invert=True).resized((3, 4)) == 0).all()


@pytest.mark.parametrize("side", [40, 40 * COARSE])  # blurred at full size, and at reduced size
def test_feather_softens_the_edge(tmp_path, side):
    levels = np.zeros((side, side), np.uint8)
    levels[:, side // 2 :] = 255
    row = Mask(put(tmp_path / "edge.png", levels), feather=0.2).resized((side, side))[side // 2]
    assert row[0] < 0.01
    assert row[-1] > 0.99
    sigma = 0.1 * side
    assert abs(row[round(side / 2 + sigma)] - 0.841) < 0.03  # the normal distribution at one standard deviation
    assert (np.diff(row) > -1e-6).all()


def test_recipe_records_the_name_without_the_folder():
    assert Mask(Path("/photos/mask.png"), panels=(0, 2)).plain == {
        "path": "mask.png",
        "feather": 0.0,
        "invert": False,
        "panels": [0, 2],
    }
    assert Mask(panels=(1,)).plain == {"feather": 0.0, "invert": False, "panels": [1]}
