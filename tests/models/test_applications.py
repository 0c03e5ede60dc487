"""Every network of keras.applications: its name and input range, that it builds, and what a failed download does."""

from __future__ import annotations

import http.client
import inspect
import socket
import urllib.error

import numpy as np
import pytest

from kerasdream.errors import ModelError
from kerasdream.models.applications import FACTORIES, FAMILIES, TIMEOUT
from kerasdream.models.extractor import feature_extractor

FAST = {"mobilenet", "mobilenet_v2", "mobilenet_v3_small", "resnet50", "vgg16"}
NAMES = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in FACTORIES]
FAMILY = {name: (family, constructor) for family in FAMILIES for name, constructor in family.constructors.items()}
BYTES = "convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3"
CAFFE = "resnet", "vgg16", "vgg19"


@pytest.fixture(autouse=True)
def _small_memory():
    yield
    import keras

    keras.backend.clear_session()


@pytest.fixture
def keras_home(tmp_path, monkeypatch):
    """An empty cache of Keras's downloads."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    return tmp_path


def unbuilt(name, monkeypatch):
    """The network with next to no model, which the input range does not need."""
    import keras

    _, constructor = FAMILY[name]
    picture = keras.Input((None, None, 3))
    monkeypatch.setattr(keras.applications, constructor, lambda **_: keras.Model(picture, keras.layers.ReLU()(picture)))
    return FACTORIES[name](weights=None)


def expected_input(module: str, picture: np.ndarray) -> np.ndarray:
    """What the documentation of the module's preprocess_input says of a picture in [-1, 1]."""
    pixels = (picture.astype("float64") + 1) * 127.5
    if module in BYTES:
        return pixels
    if module == "densenet":
        return (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    if module in CAFFE:
        return pixels[..., ::-1] - [103.939, 116.779, 123.68]
    return pixels / 127.5 - 1


def test_every_network_of_keras_is_there():
    import keras

    made = {n for n, thing in vars(keras.applications).items() if inspect.isfunction(thing) and n[0].isupper()}
    assert {constructor for _, constructor in FAMILY.values()} == made
    assert len(FACTORIES) == len(FAMILY) == len(made)
    for name, factory in FACTORIES.items():
        assert factory.__name__ == name
        assert name.replace("_", "") == FAMILY[name][1].lower()
        parameters = inspect.signature(factory, eval_str=True).parameters.values()
        assert [(p.name, p.default) for p in parameters] == [("weights", "imagenet"), ("top", None)]
        assert {p.kind for p in parameters} == {inspect.Parameter.KEYWORD_ONLY}
        assert factory.__doc__.startswith(FAMILY[name][1])
        assert "https://arxiv.org/abs/" in factory.__doc__.splitlines()[0]


@pytest.mark.parametrize("name", FACTORIES)
def test_its_input_has_the_documented_range(name, monkeypatch):
    picture = np.random.default_rng(0).uniform(-1, 1, (2, 5, 4, 3)).astype("float32")
    picture[0, 0, 0], picture[0, 0, 1] = -1, 1
    before = picture.copy()
    made = unbuilt(name, monkeypatch).preprocess(picture)
    np.testing.assert_allclose(made, expected_input(FAMILY[name][0].module, picture), rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("name", [next(iter(family.constructors)) for family in FAMILIES])
def test_its_input_can_be_traced_for_any_size_and_has_a_gradient(name, monkeypatch):
    import tensorflow as tf

    preprocess = unbuilt(name, monkeypatch).preprocess

    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def traced(picture):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            made = preprocess(picture)
        return made, tape.gradient(made, picture)

    module = FAMILY[name][0].module
    ends = np.ones((1, 1, 1, 3))
    slope = (expected_input(module, ends) - expected_input(module, -ends)) / 2
    slope = slope[..., ::-1] if module in CAFFE else slope
    for shape in ((1, 7, 9, 3), (3, 4, 2, 3)):
        picture = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
        made, gradient = traced(picture)
        np.testing.assert_allclose(made, expected_input(module, picture), rtol=1e-5, atol=1e-4)
        np.testing.assert_allclose(gradient, np.broadcast_to(slope, shape), rtol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_it_builds_and_its_features_take_any_size(name):
    network = FACTORIES[name](weights=None)
    assert network.name == name
    side = 259 if name.startswith("nasnet") else None
    assert network.model.input.shape == (None, side, side, 3)
    last = next(layer.name for layer in reversed(network.model.layers) if len(layer.output.shape) == 4)
    features = feature_extractor(network.model, [last])
    for shape in ((1, 100, 131, 3), (1, 128, 96, 3)):
        picture = np.random.default_rng(0).uniform(-1, 1, shape).astype("float32")
        activations = np.asarray(features(network.preprocess(picture))[last])
        assert activations.shape[0] == 1
        assert min(activations.shape) >= 1
        assert np.isfinite(activations).all()


@pytest.mark.parametrize("name", NAMES)
def test_its_classifier_gives_logits_at_its_own_size(name):
    network = FACTORIES[name](weights=None, top=True)
    _, height, width, _ = network.model.input.shape
    assert height == width
    assert height in (224, 240, 260, 299, 300, 331, 380, 384, 456, 480, 528, 600)
    assert network.model.output.shape == (None, 1000)
    last = network.model.layers[-1]
    assert getattr(last, "activation", None) is None or last.activation.__name__ == "linear"


def test_a_file_brings_weights_back_and_another_is_refused(tmp_path):
    made = FACTORIES["mobilenet"](weights=None)
    path = str(tmp_path / "made.weights.h5")
    made.model.save_weights(path)
    loaded = FACTORIES["mobilenet"](weights=path)
    for ours, theirs in zip(loaded.model.weights, made.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for name, top in (("mobilenet_v2", False), ("mobilenet", True)):
        with pytest.raises(ModelError, match=rf"made\.weights\.h5 cannot be loaded into {name}.*the same `top`"):
            FACTORIES[name](weights=path, top=top)
    with pytest.raises(ModelError, match="does not exist; expected a file saved by Keras"):
        FACTORIES["mobilenet"](weights=str(tmp_path / "absent.weights.h5"))


def test_a_published_efficientnet_is_the_same_from_a_file_as_from_the_download(tmp_path, monkeypatch):
    path = str(tmp_path / "efficientnetb0_notop.h5")
    blank = FACTORIES["efficientnet_b0"](weights=None).model
    norm = next(layer for layer in blank.layers if type(layer).__name__ == "Normalization")
    norm.adapt_mean.assign([0.485, 0.456, 0.406])  # what the published files hold
    norm.adapt_variance.assign([0.229, 0.224, 0.225])
    blank.save(path)
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", lambda *_, **__: path)
    downloaded, read = (FACTORIES["efficientnet_b0"](weights=weights) for weights in ("imagenet", path))
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype("float32")
    stems = [type(n.model)(n.model.input, n.model.get_layer("stem_conv").output) for n in (downloaded, read)]
    first, second = (np.asarray(stem(downloaded.preprocess(picture))) for stem in stems)
    np.testing.assert_allclose(second, first, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (urllib.error.URLError(socket.gaierror(-2, "Name or service not known")), "Name or service not known"),
        (urllib.error.HTTPError("https://x", 503, "Service Unavailable", {}, None), "Service Unavailable"),
        (urllib.error.ContentTooShortError("got only 3 out of 5 bytes", None), "got only 3 out of 5 bytes"),
        (TimeoutError("timed out"), "timed out"),
        (ConnectionResetError(104, "Connection reset by peer"), "reset by peer"),
        (http.client.RemoteDisconnected("Remote end closed connection"), "Remote end closed"),
    ],
)
def test_a_failed_download_is_one_sentence_with_two_ways_on(keras_home, monkeypatch, capsys, failure, reason):
    def fail(*_):
        assert socket.getdefaulttimeout() == TIMEOUT
        raise failure

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", fail)
    with pytest.raises(ModelError) as caught:
        FACTORIES["mobilenet_v3_small"]()
    message = str(caught.value)
    assert message.startswith("the ImageNet weights of mobilenet_v3_small could not be downloaded (")
    assert reason in message
    assert "`weights: path/to/file.weights.h5`" in message
    assert "`model: efficientnet_lite0`" in message
    assert "\n" not in message
    assert caught.value.__cause__ is not None
    assert socket.getdefaulttimeout() is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["mobilenet", "mobilenet_v3_small"], ids=["without a hash", "with a hash"])
def test_what_came_instead_of_weights_is_not_kept(keras_home, monkeypatch, name):
    calls = []

    def portal(url, target, *_):
        calls.append(url)
        with open(target, "wb") as file:
            file.write(b"<html>Please log in</html>")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", portal)
    for _ in range(2):
        before = len(calls)
        with pytest.raises(ModelError, match=rf"weights of {name} could not be downloaded \(.*damaged\)"):
            FACTORIES[name]()
        assert len(calls) > before


def test_a_download_that_was_cut_short_is_done_again(keras_home, tmp_path, monkeypatch):
    whole = tmp_path / "whole.h5"
    FACTORIES["mobilenet"](weights=None).model.save(whole)
    torn = keras_home / "models" / "mobilenet_1_0_224_tf_no_top.h5"
    torn.parent.mkdir()
    torn.write_bytes(whole.read_bytes()[:-1000])
    other = torn.with_name("mobilenet_of_mine.h5")
    other.write_bytes(whole.read_bytes())
    monkeypatch.setattr(
        "keras.src.utils.file_utils.urlretrieve", lambda url, target, *_: torn.write_bytes(whole.read_bytes())
    )
    assert FACTORIES["mobilenet"]().name == "mobilenet"
    assert torn.read_bytes() == whole.read_bytes()
    assert other.exists()


@pytest.mark.parametrize("fault", [ValueError("a bug"), OSError(28, "No space left on device"), MemoryError("much")])
def test_faults_that_are_none_of_a_download_pass_through(keras_home, monkeypatch, fault):
    import keras

    def broken(**_):
        raise fault

    monkeypatch.setattr(keras.applications, "MobileNet", broken)
    with pytest.raises(type(fault)) as caught:
        FACTORIES["mobilenet"]()
    assert caught.value is fault


@pytest.mark.network
def test_inception_v3_with_its_real_weights_knows_a_cat():
    from PIL import Image
    from skimage import data

    try:
        network = FACTORIES["inception_v3"](top=True)
    except ModelError as error:
        pytest.skip(str(error))
    photo = Image.fromarray(data.chelsea()).crop((75, 0, 375, 300)).resize((299, 299), Image.Resampling.BICUBIC)
    picture = np.asarray(photo, "float32")[None] / 127.5 - 1
    assert 281 <= np.asarray(network.model(network.preprocess(picture)))[0].argmax() <= 287
