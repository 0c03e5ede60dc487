"""The Keras callback."""

import keras
import numpy as np

import kerasdream


def test_callback_dreams_during_training(tiny, chelsea, tmp_path):
    keras.utils.set_random_seed(0)
    picture = keras.Input((32, 32, 3))
    conv = keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="conv")(picture)
    flat = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(conv))
    model = keras.Model(picture, keras.layers.Dense(2, activation="softmax")(flat))
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="sparse_categorical_crossentropy")
    see = kerasdream.callbacks.Dream(
        chelsea[:64, :96],
        tmp_path / "dreams",
        every=2,
        objectives={"l2": "conv"},
        input_range=(-1, 1),
        octaves={"count": 1, "steps": 2},
    )
    random = np.random.default_rng(0)
    x, y = random.normal(size=(16, 32, 32, 3)).astype("float32"), random.integers(0, 2, 16)
    model.fit(x, y, epochs=4, verbose=0, callbacks=[see])
    written = sorted(path.name for path in (tmp_path / "dreams").iterdir())
    assert written == ["epoch-0002.png", "epoch-0004.png"]
    first, second = (kerasdream.images.read(tmp_path / "dreams" / name).pixels for name in written)
    assert first.shape == (64, 96, 3)
    assert np.abs(first - second).max() > 0  # the second dream is that of the network as it then was
