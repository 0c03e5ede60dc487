"""The random windows of crops."""

from random import Random

import numpy as np

from kerasdream.plan.crops import Windows


def test_windows_are_spread_around_the_middle_as_in_deepdraw():
    crops = Windows(224, spread=0.3)
    drawn = np.array([crops.boxes((322, 400), Random(i))[0] for i in range(4000)])
    assert set(drawn[:, 2]) == set(drawn[:, 3]) == {224}
    room = 400 - 224
    expected = np.clip(np.random.default_rng(0).normal(room / 2, 0.3 * room, 100_000), 0, room).astype(int)
    assert drawn[:, 1].min() == 0
    assert drawn[:, 1].max() == room
    np.testing.assert_allclose(np.quantile(drawn[:, 1], [0.1, 0.3, 0.5, 0.7, 0.9]),
                               np.quantile(expected, [0.1, 0.3, 0.5, 0.7, 0.9]), atol=7)  # fmt: skip
    assert crops.boxes((100, 300), Random(0))[0][2:] == (100, 100)
    assert Windows(64, count=3).boxes((200, 300), Random(0), 0.25)[2][2:] == (50, 50)
