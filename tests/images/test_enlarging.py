"""Enlarging a picture to a size."""

import numpy as np
import pytest

from kerasdream import images
from kerasdream.images import Picture


def test_a_photo_is_enlarged_to_its_longer_side(chelsea):
    levels = images.to_uint8(chelsea)
    larger = images.enlarged(Picture(levels, None, "cat", "", ()), 902).stored
    assert (larger.shape, larger.dtype) == ((600, 902, 3), np.uint8)
    back = images.resize(larger, (300, 451), "lanczos")
    assert np.abs(back - images.to_float(levels)).mean() < 0.01
    assert (
        np.abs(larger[:, 1:].astype(int) - larger[:, :-1]).mean()
        < 0.7 * np.abs(np.diff(levels.astype(int), axis=1)).mean()
    )
    same = Picture(levels, None, "cat", "", ())
    assert images.enlarged(same, 451) is same


def test_colours_of_transparent_pixels_do_not_bleed():
    """White, visible on the left; black behind the transparent right half."""
    stored, alpha = np.full((8, 8, 3), 255, "uint8"), np.ones((8, 8), "float32")
    stored[:, 4:], alpha[:, 4:] = 0, 0
    larger = images.enlarged(Picture(stored, alpha, "", "", ()), 24)
    assert larger.alpha.shape == larger.stored.shape[:2] == (24, 24)
    assert larger.stored[larger.alpha > 0.3].min() == 255
    assert larger.alpha[:, :9] == pytest.approx(1, abs=0.2)
