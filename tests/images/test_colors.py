"""Luma, linear light, mean and spread of channels."""

import numpy as np

from kerasdream import images

LEVELS = np.linspace(-1, 1, 511, dtype=np.float32).reshape(1, -1, 1).repeat(3, axis=2)


def test_luma_of_grey_is_grey_and_green_is_brightest():
    np.testing.assert_allclose(images.luma(LEVELS), LEVELS[..., :1], atol=1e-6)
    red, green, blue = images.luma(np.eye(3, dtype=np.float32)[None])[0, :, 0]
    assert green > red > blue > 0


def test_light_of_middle_grey_and_back():
    assert abs(images.to_light(np.zeros((1, 1, 3), np.float32)).mean() - 0.2140) < 1e-4  # IEC 61966-2-1 at 0.5
    np.testing.assert_allclose(images.from_light(images.to_light(LEVELS)), LEVELS, atol=1e-5)
    np.testing.assert_allclose(images.from_light(np.float32([-1, 2])), [-1, 1], atol=1e-6)


def test_mean_and_spread_are_set_per_channel():
    pixels = np.random.default_rng(0).normal(0.1, 0.2, (40, 50, 3)).astype(np.float32)
    wanted = np.array([[-0.1, 0, 0.1], [0.05, 0.1, 0.15]])
    np.testing.assert_allclose(images.mean_spread(images.with_mean_spread(pixels, wanted)), wanted, atol=1e-4)
