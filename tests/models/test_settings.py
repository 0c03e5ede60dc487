"""Keras's settings for the whole process do not reach a dream, and are as before afterwards."""

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream.models.settings import USUAL, Settings, users_settings, usual_settings

L = keras.layers
STRANGE = Settings("float16", "channels_first", "mixed_float16")


@pytest.fixture
def strange():
    """Set everything to something else, and back again."""
    before = Settings.now()
    STRANGE.set()
    yield
    before.set()


def names(settings):
    return (*settings[:2], getattr(settings.dtype_policy, "name", settings.dtype_policy))


@pytest.mark.no_cover
def test_a_named_network_and_a_users_dream_the_same_under_other_settings(strange, chelsea):
    picture = chelsea[:96, :96]

    def both():
        named = kerasdream.dream(
            picture,
            model="efficientnet_lite0",
            objectives={"l2": "block1_expand"},
            transforms=[{"noise": 0.1}, "rotate"],
            priors=["high_pass"],
            parametrization="fourier",
            octaves={"count": 1, "steps": 2},
        )
        objective = kerasdream.Objective("conv", lambda found: found["conv"][..., 0])
        step = kerasdream.GradientStep(model, objective, input_range=(0, 1))
        return named.image, step(named.image)[1]

    with usual_settings():
        x = keras.Input((None, None, 3))
        model = keras.Model(x, L.Conv2D(4, 3, name="conv")(L.Lambda(lambda tensor: tensor * 2.0)(x)))
        expected = both()
    found = both()
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)
    assert names(Settings.now()) == STRANGE


def test_code_of_the_user_sees_the_users_settings(strange):
    seen = []

    def look(tensor):
        seen.append(keras.config.image_data_format())
        return tensor

    with usual_settings():
        assert Settings.now().usual
        x = keras.Input((None, None, 3))
        model = keras.Model(x, L.Conv2D(4, 3, name="conv")(L.Lambda(look)(x)))
        with users_settings():
            assert names(Settings.now()) == STRANGE
        assert names(Settings.now()) == USUAL
    seen.clear()
    kerasdream.feature_extractor(model, ["conv"])
    assert set(seen) == {"channels_first"}
