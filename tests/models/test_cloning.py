"""Layers that are not Keras's own are called as they are in memory; the user's model is not changed."""

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream import GradientStep, Objective
from kerasdream.models.extractor import build_extractor

L = keras.layers


def unit(tensor):
    return tensor / 127.5 - 1.0


def relu(tensor):
    """Not Keras's function of this name."""
    return keras.ops.sin(tensor)


class Swish(L.Layer):
    """A layer whose configuration is incomplete: it lacks beta."""

    def __init__(self, beta):
        super().__init__()
        self.beta = beta

    def call(self, tensor):
        return tensor * keras.ops.sigmoid(self.beta * tensor)


class Shrink(L.Layer):
    """A layer with a stride of its own and a layer inside."""

    def __init__(self, **options):
        super().__init__(**options)
        self.conv = L.Conv2D(6, 3, strides=2, padding="same")
        self.norm = L.BatchNormalization()

    def call(self, tensor, training=False):
        return self.norm(self.conv(tensor), training=training)


class OwnConv(L.Conv2D):
    """Named differently and computing something else than what it inherits from."""

    def call(self, tensor):
        return super().call(tensor) ** 2


def model_with(*layers, side=32):
    keras.utils.set_random_seed(3)
    x = picture = keras.Input((side, side, 3))
    for layer in layers:
        x = layer(x)
    return keras.Model(picture, L.Conv2D(4, 3, name="last")(x), name="mine")


@pytest.mark.parametrize(
    "layers",
    [
        lambda: [L.Lambda(lambda tensor: tensor / 127.5 - 1.0)],
        lambda: [L.Lambda(unit)],
        lambda: [L.Lambda(keras.applications.mobilenet_v2.preprocess_input)],
        lambda: [L.Rescaling(1 / 255), L.Conv2D(6, 3), Swish(1.5)],
        lambda: [L.Rescaling(1 / 255), Shrink()],
        lambda: [L.Rescaling(1 / 255), OwnConv(6, 3, strides=2), L.BatchNormalization()],
        lambda: [L.Rescaling(1 / 255), L.Conv2D(6, 3, activation=relu), L.BatchNormalization()],
        lambda: [L.Rescaling(1 / 255), L.Conv2D(6, 3, kernel_regularizer=lambda kernel: 0.0 * kernel[0, 0, 0, 0])],
    ],
    ids=["lambda", "function", "preprocess", "incomplete", "inner", "subclass", "activation", "regularizer"],
)
def test_own_layers_and_functions_give_the_same_gradient(own, layers):
    model, picture = model_with(*layers()), own.photo()
    before = np.asarray(model(picture[None])), [w.copy() for w in model.get_weights()]
    found = own.dreamed(model, "last", picture)
    assert all(layer.output is not None for layer in model.layers)  # raises if a layer had been used a second time
    np.testing.assert_array_equal(model(picture[None]), before[0])
    for now, then in zip(model.get_weights(), before[1], strict=True):
        np.testing.assert_array_equal(now, then)
    own.assert_same(found, own.independent(model, "last", picture, lambda pixels: pixels))


def test_a_layer_of_unknown_kind_shows_its_stride():
    model = model_with(L.Conv2D(4, 3, strides=2, padding="same"), Shrink(name="shrink"))
    geometry = build_extractor(model, ["shrink", "last"]).geometry
    assert [axis.stride for axis in geometry["shrink"]] == [4, 4]
    assert (geometry["last"][0].stride, geometry["last"][0].local) == (4, False)


def test_refresh_takes_the_weights_of_called_and_copied_layers(own):
    model, picture = model_with(L.Rescaling(1 / 255), Shrink()), own.photo()
    step = GradientStep(model, Objective("last", lambda a: a["last"][..., 0] ** 2), input_range=(0, 255))
    step(picture)
    model.set_weights([weights + 0.1 for weights in model.get_weights()])
    step.refresh()
    again = GradientStep(model, Objective("last", lambda a: a["last"][..., 0] ** 2), input_range=(0, 255))
    assert step(picture)[0] == again(picture)[0]


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_networks_of_low_precision_are_computed_in_float32(own, policy):
    def layers(policy):
        kinds = [(L.Rescaling, 1 / 255), (L.Conv2D, 6, 3), (L.BatchNormalization,), (L.ReLU,)]
        return [kind(*options, dtype=policy) for kind, *options in kinds]

    class Tiny(L.Layer):
        """Its gradient vanishes in float16."""

        def call(self, tensor):
            return (tensor * 1e-5) * 1e-4

    picture = own.photo()
    low, full = (model_with(*layers(each), Tiny(dtype=each)) for each in (policy, "float32"))
    full.set_weights(low.get_weights())
    own.assert_same(own.dreamed(low, "last", picture), own.independent(full, "last", picture, lambda pixels: pixels))
    assert {layer.dtype_policy.name for layer in low.layers[1:-1]} == {policy}


def test_a_custom_layer_that_needs_one_size_makes_the_run_look_at_crops():
    class Places(L.Layer):
        def build(self, shape):
            self.table = self.add_weight(shape=(1, *shape[1:]), name="table")

        def call(self, tensor):
            return tensor + self.table

    model = model_with(Places())
    result = kerasdream.dream(
        np.full((48, 64, 3), -0.5, "float32"), model=model, input_range=(0, 1), objectives={"l2": "last"},
        octaves={"count": 1, "steps": 1},
    )  # fmt: skip
    assert any("crops of 32×32 pixels" in note for note in result.notes)
    with pytest.raises(kerasdream.ModelError, match="views: crops"):
        GradientStep(model, Objective("last", lambda a: a["last"][..., 0]), input_range=(0, 1))
