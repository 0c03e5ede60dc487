"""Grain is as strong as requested, reproducible and absent in black and white; grading follows its numbers."""

import kerasdream_film_grain
import numpy as np
import pytest
from kerasdream_film_grain import film_grade, film_grain

from kerasdream.testing import check_plugin, check_postprocess

GREY = np.zeros((200, 300, 3), "float32")


def test_amount_and_seed():
    grain = film_grain(amount=0.1)(GREY)
    assert grain.std() == pytest.approx(0.1, rel=0.02)
    assert np.ptp(grain, axis=2).max() == 0  # grain has no colour
    np.testing.assert_array_equal(grain, film_grain(amount=0.1)(GREY))
    assert (grain != film_grain(amount=0.1, seed=1)(GREY)).any()


def test_larger_grains_are_smoother():
    def roughness(size):
        return np.abs(np.diff(film_grain(size=size)(GREY), axis=1)).mean()

    assert roughness(4.0) < 0.6 * roughness(1.0)


def test_black_and_white_stay():
    for tone in (-1, 1):
        picture = np.full_like(GREY, tone)
        np.testing.assert_array_equal(film_grain()(picture), picture)


def test_the_plugin_loads():
    assert check_plugin(kerasdream_film_grain) == ["postprocess/film_grain", "postprocess/film_grade"]


@pytest.mark.parametrize("factory", [film_grain, film_grade])
def test_each_step(factory):
    check_postprocess(factory)
    check_postprocess(factory, {name: 0.9 for name in ("amount", "contrast", "fade") if name in factory.__kwdefaults__})


NEUTRAL = {"contrast": 0.0, "saturation": 1.0, "warmth": 0.0, "fade": 0.0}


def test_neutral_grading_leaves_the_picture(photo):
    np.testing.assert_allclose(film_grade(**NEUTRAL)(photo), photo, atol=1e-6)


def test_contrast_saturation_warmth_and_fade(photo):
    def graded(**numbers):
        return film_grade(**{**NEUTRAL, **numbers})(photo)

    assert graded(contrast=0.8).std() > 1.05 * photo.std() > photo.std() > graded(contrast=-0.8).std()
    assert np.ptp(graded(saturation=0.0), axis=2).max() < 1e-5
    light = photo.mean(axis=2) > 0.2
    warm = graded(warmth=1.0) - photo
    assert warm[light][:, 0].mean() > 0.01 > -0.01 > warm[light][:, 2].mean()
    assert graded(fade=0.5).min() > photo.min() + 0.1
