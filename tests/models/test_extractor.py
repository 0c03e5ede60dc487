"""Feature extraction: same activations as the source model, cut off, folded, its geometry known."""

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream.errors import ModelError
from kerasdream.models.extractor import build_extractor, geometry_of
from kerasdream.models.graph import canonical_names, layer_names
from kerasdream.plan.tiling import Lattice


def noise(*shape):
    return np.random.default_rng(5).normal(size=shape).astype("float32")


def test_features_equal_the_source_models(tiny):
    picture = noise(2, 33, 47, 3)
    features = kerasdream.feature_extractor(tiny, ["r1", "c3"])(picture)
    expected = keras.Model(tiny.input, [tiny.get_layer("r1").output, tiny.get_layer("c3").output])(picture)
    assert list(features) == ["r1", "c3"]
    np.testing.assert_array_equal(features["r1"], expected[0])
    np.testing.assert_array_equal(features["c3"], expected[1])


def test_extractor_ends_at_the_deepest_layer_and_keeps_the_source(tiny):
    before = tiny.get_config()
    names = [layer.name for layer in kerasdream.feature_extractor(tiny, ["r1"]).layers]
    assert names == ["kerasdream.picture", "c1", "b1", "r1"]
    assert tiny.get_config() == before
    assert tiny.get_layer("c1").output is not None  # raises if the layer had been used a second time


def test_folding_is_exact_and_keeps_the_norms_name(tiny):
    picture = noise(1, 64, 64, 3)
    extractor = build_extractor(tiny, ["b1", "c3"])
    plain = kerasdream.feature_extractor(tiny, ["b1", "c3"])(picture)
    assert extractor.folded == 1
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in extractor.model.layers)
    for layer, values in extractor.model(picture).items():
        np.testing.assert_allclose(values, plain[layer], atol=1e-5 * np.abs(plain[layer]).max())


def test_tapped_or_shared_convolutions_are_not_folded(tiny):
    assert build_extractor(tiny, ["c1", "c3"]).folded == 0
    picture = keras.Input((None, None, 3))
    conv = keras.layers.Conv2D(4, 3, padding="same", name="conv")(picture)
    norm = keras.layers.BatchNormalization(name="norm")(conv)
    model = keras.Model(picture, keras.layers.Add(name="add")([conv, norm]))
    assert build_extractor(model, ["add"]).folded == 0


@pytest.mark.parametrize("kind", ["Conv2D", "DepthwiseConv2D", "SeparableConv2D"])
@pytest.mark.parametrize("bias", [True, False])
def test_every_kind_of_convolution_folds(kind, bias):
    picture = keras.Input((None, None, 3))
    arguments = {"kernel_size": 3, "use_bias": bias, "name": "conv"}
    arguments |= {"depth_multiplier": 2} if kind != "Conv2D" else {}
    arguments |= {"filters": 6} if kind != "DepthwiseConv2D" else {}
    conv = getattr(keras.layers, kind)(**arguments)(picture)
    norm = keras.layers.BatchNormalization(name="norm")
    model = keras.Model(picture, norm(conv))
    for layer in (model.get_layer("conv"), norm):
        layer.set_weights([np.random.default_rng(1).uniform(0.5, 1.5, w.shape) for w in layer.get_weights()])
    extractor = build_extractor(model, ["norm"])
    assert extractor.folded == 1
    expected = model(noise(1, 20, 20, 3)).numpy()
    np.testing.assert_allclose(extractor.model(noise(1, 20, 20, 3))["norm"], expected, atol=1e-5 * abs(expected).max())


def test_folding_is_undone_if_it_changes_the_result():
    picture = keras.Input((None, None, 3))
    conv = keras.layers.Conv2D(4, 3, name="conv")(picture)
    norm = keras.layers.BatchNormalization(name="norm")
    model = keras.Model(picture, norm(conv))
    # The convolution's bias is huge and the norm takes it away again: folding would lose all digits.
    model.get_layer("conv").set_weights([noise(3, 3, 3, 4), np.full(4, 3e8, "float32")])
    norm.set_weights([np.ones(4), np.zeros(4), np.full(4, 3e8, "float32"), np.ones(4)])
    assert build_extractor(model, ["norm"]).folded == 0


def nested():
    inner = keras.Sequential(
        [
            keras.layers.Input((64, 64, 3)),
            keras.layers.Conv2D(8, 3, strides=2, name="conv"),
            keras.layers.BatchNormalization(name="norm"),
            keras.layers.ReLU(name="relu"),
        ],
        name="backbone",
    )
    picture = keras.Input((64, 64, 3))
    x = inner(keras.layers.Rescaling(1 / 255, name="scale")(picture))
    x = keras.layers.Conv2D(4, 3, name="conv")(x)
    x = keras.layers.Dense(3, name="dense")(keras.layers.Flatten(name="flatten")(x))
    return keras.Model(picture, x, name="mine")


def test_layers_inside_a_nested_model_and_a_fixed_input_size():
    model = nested()
    assert list(layer_names(model)) == [
        "scale", "backbone", "backbone/conv", "backbone/norm", "backbone/relu", "conv", "flatten", "dense",
    ]  # fmt: skip
    extractor = build_extractor(model, ["backbone/relu", "conv"])
    assert extractor.folded == 1
    picture = noise(1, 64, 64, 3)
    expected = keras.Model(model.input, model.get_layer("conv").output)(picture).numpy()
    np.testing.assert_allclose(extractor.model(picture)["conv"], expected, atol=1e-5 * abs(expected).max())
    assert extractor.model(noise(1, 90, 120, 3))["backbone/relu"].shape == (1, 44, 59, 8)


def test_refresh_copies_current_weights(tiny):
    copy = keras.models.clone_model(tiny)
    extractor = build_extractor(copy, ["c3"])
    copy.set_weights(tiny.get_weights())
    extractor.refresh()
    expected = copy(noise(1, 32, 32, 3)).numpy()
    np.testing.assert_allclose(extractor.model(noise(1, 32, 32, 3))["c3"], expected, atol=1e-5 * abs(expected).max())


def test_second_copy_of_a_network_has_the_same_layer_names():
    def build():
        picture = keras.Input((None, None, 3))
        x = keras.layers.Conv2D(2, 3)(picture)
        x = keras.layers.BatchNormalization()(x)
        return keras.Model(picture, keras.layers.Conv2D(2, 3)(x))

    first, second = build(), build()
    aliases = canonical_names(second)
    assert [layer.name for layer in first.layers] != [layer.name for layer in second.layers]
    assert set(layer_names(first, canonical_names(first))) == set(layer_names(second, aliases))
    network = kerasdream.Network("second", second, lambda picture: picture, aliases)
    assert build_extractor(network, ["conv2d_1"]).model(noise(1, 9, 9, 3))["conv2d_1"].shape[-1] == 2


@pytest.mark.parametrize(
    ("model", "layer", "words"),
    [
        (nested, "backbone/rellu", ["has no layer 'backbone/rellu'", "'backbone/relu'"]),
        (lambda: keras.Sequential([keras.layers.Conv2D(2, 3)]), "conv2d", ["no graph", "keras.Model"]),
    ],
)
def test_errors_name_the_problem_and_a_way_out(model, layer, words):
    with pytest.raises(ModelError) as caught:
        kerasdream.feature_extractor(model(), [layer])
    for word in words:
        assert word in str(caught.value)


def test_normalization_is_finalized_after_copying_weights():
    picture = keras.Input((None, None, 3))
    norm = keras.layers.Normalization(name="norm")
    norm.adapt(np.random.default_rng(0).uniform(0, 255, (4, 8, 8, 3)))
    model = keras.Model(picture, norm(picture))
    features = kerasdream.feature_extractor(model, ["norm"])
    np.testing.assert_allclose(features(noise(1, 8, 8, 3))["norm"], model(noise(1, 8, 8, 3)), atol=1e-6)


def test_nested_functional_backbone():
    """The usual transfer-learning model."""
    backbone = keras.applications.MobileNet(weights=None, include_top=False, input_shape=(96, 96, 3))
    picture = keras.Input((96, 96, 3))
    x = backbone(keras.layers.Rescaling(1 / 127.5, offset=-1)(picture))
    x = keras.layers.Conv2D(4, 1, name="after")(x)
    model = keras.Model(picture, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(x)))
    path = f"{backbone.name}/conv_pw_3_relu"
    extractor = build_extractor(model, [path, "after"])
    inner = keras.Model(backbone.input, [backbone.get_layer("conv_pw_3_relu").output, backbone.output])
    values = noise(1, 96, 96, 3)
    block, out = inner(values / 127.5 - 1)
    features = extractor.model(values)
    np.testing.assert_allclose(features[path], block, atol=1e-4 * np.abs(block).max())
    np.testing.assert_allclose(
        features["after"], model.get_layer("after")(out), atol=1e-4 * np.abs(model.get_layer("after")(out)).max()
    )
    assert extractor.folded > 10


def test_layer_called_twice_in_a_nested_model():
    twice = keras.layers.ReLU(name="relu")
    inside = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, name="one")(inside)
    x = twice(x)
    inner = keras.Model(inside, twice(keras.layers.Conv2D(4, 3, name="two")(x)), name="inner")
    picture = keras.Input((None, None, 3))
    model = keras.Model(picture, keras.layers.Conv2D(2, 1, name="outer")(inner(picture)))
    values = noise(1, 20, 20, 3)
    np.testing.assert_allclose(
        kerasdream.feature_extractor(model, ["outer"])(values)["outer"], model(values), atol=1e-6
    )


def test_nested_model_called_twice_shares_its_weights():
    inside = keras.Input((None, None, 3))
    inner = keras.Model(inside, keras.layers.Conv2D(3, 3, padding="same", name="conv")(inside), name="inner")
    picture = keras.Input((None, None, 3))
    model = keras.Model(picture, keras.layers.Add(name="sum")([inner(picture), inner(inner(picture))]))
    values = noise(1, 20, 20, 3)
    features = kerasdream.feature_extractor(model, ["sum"])
    np.testing.assert_allclose(features(values)["sum"], model(values), atol=1e-5)
    assert len(features.weights) == 2


def test_subclass_of_a_functional_model():
    class Backbone(keras.Model):
        def __init__(self):
            picture = keras.Input((None, None, 3))
            x = keras.layers.Conv2D(4, 3, strides=2, activation=keras.layers.LeakyReLU(), name="conv")(picture)
            super().__init__(picture, keras.layers.BatchNormalization(name="norm")(x))

        def get_config(self):
            return {}

    model = Backbone()
    values = noise(1, 20, 20, 3)
    np.testing.assert_allclose(kerasdream.feature_extractor(model, ["norm"])(values)["norm"], model(values), atol=1e-6)
    assert build_extractor(model, ["norm"]).folded == 0  # what is between convolution and norm is not linear


def test_geometry_of_dense_and_pooling_layers():
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, strides=2, name="conv")(picture)
    x = keras.layers.Conv2D(4, 3, strides=2, name="conv2")(keras.layers.Dense(5, name="dense")(x))
    model = keras.Model(picture, keras.layers.GlobalAveragePooling2D(name="pool")(x))
    geometry = build_extractor(model, ["dense", "pool"]).geometry
    assert geometry["dense"][0].stride == 2
    assert (geometry["pool"][0].stride, geometry["pool"][0].coarsest, geometry["pool"][0].smallest) == (0, 4, 7)


def test_decoder_needs_sizes_that_suit_its_encoder():
    picture = keras.Input((None, None, 3))
    fine = keras.layers.Conv2D(4, 3, padding="same", name="fine")(picture)
    coarse = keras.layers.Conv2D(4, 3, strides=8, padding="same", name="coarse")(fine)
    up = keras.layers.UpSampling2D(8, name="up")(coarse)
    model = keras.Model(picture, keras.layers.Concatenate(name="both")([fine, up]))
    step = kerasdream.GradientStep(
        model, kerasdream.Objective("both", lambda a: a["both"][..., 0]), input_range=(-1, 1)
    )
    assert step.cutting.lattice.stride == 8
    assert step(np.zeros((45, 61, 3), "float32"))[1].shape == (45, 61, 3)


def test_geometry_of_several_layers_is_that_of_the_coarsest(tiny):
    geometry = geometry_of(build_extractor(tiny, ["c1", "c3"]))
    assert geometry == (Lattice(stride=4, residue=0, smallest=5), 15)
    assert geometry_of(build_extractor(tiny, ["c1"])) == (Lattice(stride=2, residue=0, smallest=3), 3)
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(picture)
    model = keras.Model(picture, keras.layers.GlobalAveragePooling2D(name="pool")(x))
    assert geometry_of(build_extractor(model, ["conv", "pool"])).field is None
