"""The way in: grey, n channels, further inputs, several heads; each gradient also through the user's model alone."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasdream
from kerasdream import ModelError, Network, from_range
from kerasdream.builtin.parametrizations.decorrelated import decorrelated
from kerasdream.dreaming.grey import keeping_colours
from kerasdream.engine.decoding import pull_back
from kerasdream.models.graph import classifier, graph_of
from kerasdream.plan.panels import SINGLE

L = keras.layers
SIDE = 32
SHORT = {"count": 1, "steps": 3}


def conv_net(shape, **options):
    keras.utils.set_random_seed(1)
    x = picture = keras.Input(shape, name="photo")
    if len(shape) == 2:
        x = L.Reshape((*shape, 1))(x)
    x = L.Conv2D(6, 3, activation="tanh", name="conv", **options)(L.Rescaling(1 / 255)(x))
    return keras.Model(picture, L.Dense(4, activation="softmax")(L.GlobalAveragePooling2D()(x)), name="mine")


@pytest.mark.parametrize("shape", [(SIDE, SIDE, 1), (SIDE, SIDE)], ids=["channel", "flat"])
def test_a_grey_network_sees_brightness_and_changes_it_only(own, shape):
    model, picture = conv_net(shape), own.photo()
    grey = picture @ np.float32([0.299, 0.587, 0.114])
    score, slope = own.independent(
        model, "conv", np.repeat(grey[..., None], 3, 2), lambda p: p[..., :1] if len(shape) == 3 else p[..., 0]
    )
    expected = np.repeat(slope.sum(2, keepdims=True) / 3, 3, 2)  # what of it changes red, green and blue alike
    own.assert_same(own.dreamed(model, "conv", picture), (score, expected))


def test_dreams_of_a_grey_network_are_grey_from_noise_and_keep_a_photos_colours(own):
    options = {"model": conv_net((None, None, 1)), "input_range": (0, 255), "objectives": {"l2": "conv"}, "seed": 3}
    slow = {"parametrization": "fourier", "ascent": ["adam", {"rate": 0.01}], "transforms": ["jitter", "color_shift"]}
    noise = kerasdream.dream("noise", **options, **slow, octaves=SHORT).image
    assert noise.std() > 0.01
    np.testing.assert_array_equal(noise, noise[..., :1].repeat(3, 2))
    picture = 0.5 * own.photo()
    result = kerasdream.dream(picture, **options, octaves=SHORT)
    change = result.image - picture
    assert np.abs(change).max() > 0.02
    free = np.abs(result.image).max(2) < 1  # not clipped
    np.testing.assert_allclose(change[free], change[free][..., :1].repeat(3, 1), atol=1e-6)
    assert result.notes == ("the network sees grey: it changes the brightness of the picture, not its colours",)


def test_no_axis_of_colour_steps_at_random_for_a_grey_network():
    """With Adam a rounding error is a full step: each axis must follow the brightness, over all the picture."""
    picture = np.full((16, 16, 3), 0.1, "float32") + np.linspace(-0.2, 0.2, 16, dtype="float32")[:, None, None]
    form = keeping_colours(decorrelated(), picture, SINGLE, grey=True)
    slope = np.random.default_rng(0).normal(size=(16, 16, 1)).astype("float32").repeat(3, 2)
    pulled = np.asarray(pull_back(form.decode, form.init(picture, 0), (16, 16), slope))
    for axis in range(3):
        along = np.sign(pulled[..., axis] * slope[..., 0])
        assert along.any()
        assert (along == along[0, 0]).all()


def test_layers_may_have_any_name(own):
    grey, other = keras.Input((SIDE, SIDE, 1), name="photo"), keras.Input((SIDE, SIDE, 1), name="other")
    x = L.Concatenate(name="picture")([grey, other])
    x = L.Conv2D(4, 3, name="seen")(L.Rescaling(1 / 255, name="held_1")(x))
    result = kerasdream.dream(
        own.photo(), model=keras.Model([grey, other], x), input_range=(0, 255), inputs={"other": 0},
        objectives={"l2": "seen"}, octaves=SHORT,
    )  # fmt: skip
    assert result.scores[-1] > result.scores[0]


@pytest.mark.parametrize("channels", [None, [3, 2, 1], [4]])
def test_n_channels_show_three_or_the_brightness(own, channels):
    model, picture = conv_net((SIDE, SIDE, 5)), own.photo()
    shown = channels or [0, 1, 2]

    def bands(pixels):
        middle = tf.fill(pixels.shape[:3], 127.5)
        colours = tf.unstack(pixels, axis=-1)
        if len(shown) == 1:
            colours = [0.299 * colours[0] + 0.587 * colours[1] + 0.114 * colours[2]]
        return tf.stack([dict(zip(shown, colours, strict=True)).get(band, middle) for band in range(5)], axis=-1)

    score, slope = own.independent(model, "conv", picture, bands)
    if len(shown) == 1:
        slope = slope.sum(2, keepdims=True).repeat(3, 2) / 3
    own.assert_same(own.dreamed(model, "conv", picture, channels=channels), (score, slope))


def test_which_channels_are_shown_is_said(own):
    result = kerasdream.dream(
        own.photo(),
        model=conv_net((SIDE, SIDE, 5)),
        input_range=(0, 255),
        channels=[3, 2, 1],
        objectives={"l2": "conv"},
        octaves=SHORT,
    )
    assert "5 channels: red, green and blue are its channels 3, 2, 1; the others are held" in result.notes[0]


def two_inputs():
    keras.utils.set_random_seed(2)
    picture, meta = keras.Input((SIDE, SIDE, 3), name="photo"), keras.Input((2,), name="meta")
    x = L.Conv2D(6, 3, activation="tanh", name="conv")(L.Rescaling(1 / 255)(picture))
    both = L.Concatenate()([L.GlobalAveragePooling2D(name="seen")(x), meta])
    return keras.Model([picture, meta], L.Dense(5, name="answer")(both), name="mine")


def test_the_branch_of_the_picture_needs_no_other_input(own):
    model, picture = two_inputs(), own.photo()
    cut = keras.Model(model.inputs[0], model.get_layer("seen").output)
    own.assert_same(own.dreamed(model, "conv", picture), own.independent(cut, "conv", picture, lambda pixels: pixels))


@pytest.mark.parametrize("kind", ["list", "number", "file"])
def test_another_input_is_held(own, kind, tmp_path):
    model, picture = two_inputs(), own.photo()
    np.save(tmp_path / "meta.npy", np.array([[0.0, 3.0]]))
    value, row = {"list": ([0, 3], [0, 3]), "number": (2, [2, 2]), "file": (tmp_path / "meta.npy", [0, 3])}[kind]
    expected = own.independent(model, "answer", picture, lambda pixels: [pixels, tf.constant([row], tf.float32)])
    own.assert_same(own.dreamed(model, "answer", picture, inputs={"meta": value}), expected)


def test_one_of_two_pictures_is_held_and_the_other_dreamed(own):
    keras.utils.set_random_seed(2)
    left, right = (keras.Input((SIDE, SIDE, 3), name=name) for name in ("left", "right"))
    conv, scale = L.Conv2D(6, 3, activation="tanh", name="conv"), L.Rescaling(1 / 255)
    x = L.Conv2D(4, 3, name="both")(L.Concatenate()([conv(scale(left)), conv(scale(right))]))
    model, picture = keras.Model([left, right], x, name="mine"), own.photo()
    with pytest.raises(ModelError, match=r"several pictures for both: left, right.*inputs: \{right: 0\} dreams left"):
        own.dreamed(model, "both", picture)
    expected = own.independent(model, "both", picture, lambda pixels: [tf.fill(pixels.shape, 9.0), pixels])
    own.assert_same(own.dreamed(model, "both", picture, inputs={"left": 9}), expected)


@pytest.mark.parametrize(
    ("layer", "settings", "words"),
    [
        ("answer", {}, r"needs more than a picture for answer: meta, 2 numbers.*inputs: \{meta: 0\}"),
        ("answer", {"inputs": {"meta": [1, 2, 3]}}, r"meta has the shape \(3,\); expected 2 numbers"),
        ("answer", {"inputs": {"meta": "missing.npy"}}, r"meta: expected 2 numbers.*missing\.npy"),
        ("answer", {"inputs": {"mta": 1}}, r"no input 'mta'; did you mean 'meta'"),
        ("conv", {"inputs": {"photo": 1}}, r"expected one image"),
        ("conv", {"channels": [0, 1, 7]}, r"channels: \[0, 1, 7\] does not fit mine.*from 0 to 2"),
        ("conv", {"channels": [1, 1, 2]}, r"three different ones"),
        ("conv", {"preprocess": lambda picture: picture[..., :2]}, r"preprocess returns 2 channels, but mine takes 3"),
    ],
)
def test_errors_say_what_to_type(own, layer, settings, words):
    with pytest.raises(ModelError, match=words):
        own.dreamed(two_inputs(), layer, own.photo(), **settings)


def test_an_input_without_effect_is_said(own):
    options = {"model": two_inputs(), "input_range": (0, 255), "objectives": {"l2": "conv"}, "octaves": SHORT}
    notes = kerasdream.dream(own.photo(), **options, inputs={"meta": 1}).notes
    assert notes == ("inputs: meta has no effect: conv does not depend on it",)


def heads(**classes):
    picture = keras.Input((None, None, 3), name="photo")
    x = L.GlobalAveragePooling2D()(L.Conv2D(6, 3, name="conv")(picture))
    return keras.Model(picture, {name: L.Dense(count, activation="sigmoid")(x) for name, count in classes.items()})


def test_a_class_is_dreamed_with_the_head_that_is_named(own):
    options = {"input_range": (-1, 1), "objectives": {"class": {"index": 1}}, "octaves": SHORT}
    options["model"] = heads(kind=3, age=1, pose=4)
    assert len(kerasdream.dream(own.photo(), **options, head="kind").scores) == 3
    with pytest.raises(ModelError, match=r"several heads: age \(None, 1\), kind \(None, 3\), pose.*head: kind"):
        kerasdream.dream(own.photo(), **options)
    with pytest.raises(ModelError, match="no head 'kid'; did you mean 'kind'"):
        kerasdream.dream(own.photo(), **options, head="kid")


def test_an_output_of_one_number_is_no_head_of_classes():
    """It is not asked about, unless there is no other: then it is a classifier of yes and no."""
    assert classifier(graph_of(heads(kind=3, age=1))).layer.units == 3
    assert classifier(graph_of(heads(age=1))).layer.units == 1
    with pytest.raises(ModelError, match=r"several heads: age \(None, 1\), cat \(None, 1\); which one"):
        classifier(graph_of(heads(age=1, cat=1)))


def test_options_of_a_model_in_memory_do_not_go_with_a_name(own):
    with pytest.raises(kerasdream.ConfigError, match="channels: only for a Keras model"):
        kerasdream.dream(own.photo(), model="efficientnet_lite0", channels=[0])
    network = Network("grey", conv_net((SIDE, SIDE, 1)), from_range(0, 255))
    with pytest.raises(ModelError, match=r"channels: \[3\] does not fit grey"):
        kerasdream.dream(own.photo(), model=network, channels=[3], objectives={"l2": "conv"})
