"""The Keras callback."""

import warnings

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream import ConfigError, KerasdreamError, images


@pytest.fixture
def trained():
    """A function that trains a small network with a callback, and returns the number of epochs it began."""
    keras.utils.set_random_seed(0)
    picture = keras.Input((32, 32, 3))
    conv = keras.layers.Conv2D(8, 3, strides=2, activation="relu", name="conv")(picture)
    flat = keras.layers.GlobalAveragePooling2D()(keras.layers.BatchNormalization()(conv))
    model = keras.Model(picture, keras.layers.Dense(2, activation="softmax")(flat))
    model.compile(optimizer=keras.optimizers.SGD(1.0), loss="sparse_categorical_crossentropy")
    random = np.random.default_rng(0)
    x, y = random.normal(size=(16, 32, 32, 3)).astype("float32"), random.integers(0, 2, 16)
    begun = []

    def train(*callbacks, epochs=4):
        count = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))
        model.fit(x, y, epochs=epochs, verbose=0, callbacks=[count, *callbacks])
        return len(begun)

    train.model, train.begun = model, begun
    return train


@pytest.fixture
def dream(chelsea, tmp_path):
    """A function that makes the callback, with other options."""

    def make(**options):
        options = {
            "objectives": {"l2": "conv"},
            "input_range": (-1, 1),
            "octaves": {"count": 1, "steps": 2},
            **options,
        }
        return kerasdream.callbacks.Dream(chelsea[:64, :96], tmp_path / "dreams", **options)

    return make


def test_callback_dreams_during_training(trained, dream, tmp_path):
    assert trained(dream(every=2)) == 4
    written = sorted(path.name for path in (tmp_path / "dreams").iterdir())
    assert written == ["epoch-0002.png", "epoch-0004.png"]
    first, second = (images.read(tmp_path / "dreams" / name).pixels for name in written)
    assert first.shape == (64, 96, 3)
    assert np.abs(first - second).max() > 0  # the second dream is that of the network as it then was


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"objectives": {"l2": "conv1"}}, "conv1.*did you mean 'conv'"),
        ({"input_range": None}, "what pixel values"),
        ({"octaves": {"steps": "many"}}, r"^kerasdream\.callbacks\.Dream\(\): octaves\.steps"),
        ({"objectives": kerasdream.Objective("conv", lambda a: a["con"])}, "con"),
        ({"model": keras.Sequential([keras.Input((32, 32, 3)), keras.layers.Conv2D(2, 3)])}, "shares no weights"),
    ],
)
def test_what_is_wrong_is_said_before_the_first_epoch(trained, dream, wrong, words):
    with pytest.raises(KerasdreamError, match=words):
        trained(dream(**wrong, every=3))
    assert trained.begun == []


def test_folder_that_cannot_be_created_is_an_error_before_the_first_epoch(trained, dream, tmp_path):
    (tmp_path / "dreams").write_text("in the way")
    with pytest.raises(kerasdream.OutputError, match="dreams cannot be created"):
        trained(dream())
    assert trained.begun == []


def test_wrong_arguments_are_errors_when_the_callback_is_made(dream):
    for every in (0, 1.5, "2"):
        with pytest.raises(ConfigError, match="every="):
            dream(every=every)
    with pytest.raises(ConfigError, match="objectives is missing"):
        dream(objectives=None)


def test_failed_dream_is_a_warning_and_training_goes_on(trained, dream, tmp_path):
    see = dream()
    late = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: (tmp_path / "dreams").rmdir() if epoch == 0 else None
    )
    with pytest.warns(UserWarning, match="no dream after epoch 1, training goes on: .*there is no folder") as caught:
        assert trained(late, see, epochs=2) == 2
    assert len(caught) == 2


def test_layer_that_does_not_respond_yet_is_no_error(trained, dream):
    conv = trained.model.get_layer("conv")
    kernel, bias = conv.get_weights()
    conv.set_weights([kernel, bias - 100])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert trained(dream(), epochs=1) == 1
    assert any("the gradient is zero" in str(warning.message) for warning in caught)


@pytest.mark.parametrize("steps", [0, 1])
def test_interrupting_a_dream_stops_the_training(trained, dream, steps, tmp_path, monkeypatch):
    see, calls = dream(priors=[]), []

    def interrupted(self, *arguments, evaluate=kerasdream.GradientStep.evaluate, **options):
        calls.append(self)
        if len(calls) > 1 + steps:  # the first call checks, before training
            raise KeyboardInterrupt
        return evaluate(self, *arguments, **options)

    monkeypatch.setattr(kerasdream.GradientStep, "evaluate", interrupted)
    with pytest.raises(KeyboardInterrupt):
        trained(see)
    assert trained.begun == [0]
    assert list((tmp_path / "dreams").iterdir()) == []
