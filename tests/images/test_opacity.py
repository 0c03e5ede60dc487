"""Opacity: an attribution as an alpha channel."""

import numpy as np
from scipy.ndimage import gaussian_filter

from kerasdream.images import opacity
from kerasdream.images.opacity import CLEAR, OPAQUE, SOFT


def test_a_fifth_is_clear_and_a_fifth_opaque():
    random = np.random.default_rng(0)
    pulls = random.gamma(1.0, 1e4, (80, 120)).astype("float32")
    made = opacity(pulls)
    soft = gaussian_filter(pulls, SOFT * 80, mode="nearest")
    low, high = np.percentile(soft, [CLEAR, OPAQUE])
    np.testing.assert_allclose(made, ((soft - low) / (high - low)).clip(0, 1), atol=1e-3)
    assert made.dtype == np.float32
    assert abs((made == 0).mean() - 0.2) < 0.01
    assert abs((made == 1).mean() - 0.2) < 0.01


def test_a_dream_in_a_small_part_is_clear_elsewhere():
    pulls = np.zeros((80, 120), "float32")
    pulls[20:30, 40:60] = 3
    made = opacity(pulls)
    assert (made[:15] == 0).all()
    assert made[25, 50] > 0.99


def test_scale_does_not_matter():
    pulls = np.random.default_rng(0).uniform(0, 1, (40, 50)).astype("float32")
    np.testing.assert_allclose(opacity(pulls * np.float32(1e-6)), opacity(pulls), atol=1e-4)


def test_what_pulls_equally_everywhere_is_opaque():
    for value in (0, 3):
        assert (opacity(np.full((8, 9), value, "float32")) == 1).all()
