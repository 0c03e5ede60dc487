"""The grain is as strong as asked for, soft, repeatable, and absent in black and white."""

import numpy as np
import pytest
from kerasdream_film_grain import film_grain

GREY = np.zeros((200, 300, 3), "float32")


def test_amount_and_seed():
    grain = film_grain(amount=0.1).apply(GREY, GREY)
    assert grain.std() == pytest.approx(0.1, rel=0.02)
    assert np.ptp(grain, axis=2).max() == 0  # grain has no colour
    np.testing.assert_array_equal(grain, film_grain(amount=0.1).apply(GREY, GREY))
    assert (grain != film_grain(amount=0.1, seed=1).apply(GREY, GREY)).any()


def test_larger_grains_are_smoother():
    def roughness(size):
        return np.abs(np.diff(film_grain(size=size).apply(GREY, GREY), axis=1)).mean()

    assert roughness(4.0) < 0.6 * roughness(1.0)


def test_black_and_white_stay():
    for tone in (-1, 1):
        picture = np.full_like(GREY, tone)
        np.testing.assert_array_equal(film_grain().apply(picture, picture), picture)
