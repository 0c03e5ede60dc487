"""What the run files in configs and docs need."""

import keras
import pytest


@pytest.fixture(scope="session")
def my_own_model(tmp_path_factory):
    """The model file that run files in configs and docs expect, with a layer conv3."""
    keras.utils.set_random_seed(0)
    picture = x = keras.Input((64, 64, 3))
    for i, filters in enumerate((8, 16, 16), start=1):
        x = keras.layers.Conv2D(filters, 3, strides=2, padding="same", activation="relu", name=f"conv{i}")(x)
    x = keras.layers.Dense(10)(keras.layers.Flatten()(x))
    path = tmp_path_factory.mktemp("model") / "my_model.keras"
    keras.Model(picture, x).save(path)
    return path
