"""Resizing arrays, and converting them to bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasdream import images
from tests.images.pictures import CAT, floats


def bicubic(length, new):
    """The (new, length) matrix of an antialiased Catmull-Rom filter (a = -1/2), in float64."""
    scale = length / new
    stretch = max(scale, 1)
    x = np.abs((np.arange(length) + 0.5 - (np.arange(new)[:, None] + 0.5) * scale) / stretch)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0))
    return weights / weights.sum(axis=1, keepdims=True)


@given(st.tuples(*[st.integers(1, 60)] * 4), st.sampled_from([(), (1,), (3,)]))
@settings(max_examples=80, deadline=None)
def test_resize_is_bicubic(sides, channels):
    height, width, new_height, new_width = sides
    array = np.random.default_rng(sum(sides)).normal(size=(height, width, *channels))
    expected = np.einsum("ih,jw,hw...->ij...", bicubic(height, new_height), bicubic(width, new_width), array)
    resized = images.resize(array, (new_height, new_width))
    assert resized.dtype == np.float32
    assert resized.shape == (new_height, new_width, *channels)
    np.testing.assert_allclose(resized, expected, atol=2e-5)


def test_resize_preserves_constants_mean_and_smooth_pictures():
    smooth = np.sin(np.linspace(0, 6, 90))[:, None] * np.cos(np.linspace(0, 5, 120))
    np.testing.assert_allclose(images.resize(np.full((40, 30, 3), 0.3), (17, 61)), 0.3, atol=1e-6)
    assert abs(images.resize(floats(CAT), (40, 57)).mean() - floats(CAT).mean()) < 2e-3
    up = images.resize(smooth, (261, 348))
    np.testing.assert_allclose(images.resize(up, (90, 120)), smooth, atol=5e-3)


def test_resize_to_the_same_shape_copies():
    array = np.random.default_rng(0).normal(size=(5, 6, 3)).astype(np.float32) * 1e6
    resized = images.resize(array, (5, 6))
    np.testing.assert_array_equal(resized, array)
    assert not np.shares_memory(resized, array)


def test_resize_does_not_clip():
    edge = np.zeros((8, 8), np.float32)
    edge[:, 4:] = 100
    resized = images.resize(edge, (8, 32))
    assert resized.max() > 101
    assert resized.min() < -1


@pytest.mark.parametrize(
    ("array", "shape"),
    [(np.zeros(5), (5, 5)), (np.zeros((1, 5, 5, 3)), (4, 4)), (np.eye(5), (0, 4)), (np.eye(5), (4, -1))],
)
def test_resize_rejects_invalid_shapes(array, shape):
    with pytest.raises(ValueError, match="resize expects"):
        images.resize(array, shape)


@given(st.lists(st.integers(0, 255), min_size=1))
def test_to_uint8_round_trip(levels):
    array = np.array(levels, np.uint8)
    np.testing.assert_array_equal(images.to_uint8(floats(array)), array)
    np.testing.assert_array_equal(images.to_uint8(floats(array).astype(np.float32)), array)


@given(st.floats(width=32, allow_nan=False))
def test_to_uint8_rounds_to_the_nearest_level(value):
    level = images.to_uint8(np.array([value]))[0]
    distance = np.abs(floats(np.arange(256)) - value)
    assert level.dtype == np.uint8
    assert distance[level] <= distance.min() + 1e-6


def test_to_uint8_rejects_nan():
    with pytest.raises(ValueError, match="not a number"):
        images.to_uint8(np.array([0, np.nan]))
