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


@pytest.fixture(scope="session")
def own_models(tmp_path_factory):
    """A folder with the models of docs/own-network.md: grey, five channels, two inputs, two heads."""
    folder = tmp_path_factory.mktemp("own")
    layers = keras.layers

    def features(picture):
        x = layers.Conv2D(4, 3, activation="relu", name="conv3")(picture)
        return layers.GlobalAveragePooling2D()(x)

    def saved(name, inputs, outputs):
        keras.Model(inputs, outputs).save(folder / f"{name}.keras")

    grey, five, photo = (keras.Input((28, 28, channels)) for channels in (1, 5, 3))
    saved("digits", grey, layers.Dense(10)(layers.Flatten()(layers.Rescaling(1 / 255)(grey))))
    saved("satellite", five, layers.Dense(3)(features(five)))
    seen, meta = features(photo), keras.Input((2,), name="meta")
    saved("clinic", [photo, meta], layers.Dense(3)(layers.Concatenate()([seen, meta])))
    saved("two_heads", photo, [layers.Dense(3, name="kind")(seen), layers.Dense(1, name="age")(seen)])
    return folder
