"""Every network of keras.applications: name, input range, layer table, weights from files and downloads."""

from __future__ import annotations

import http.client
import inspect
import socket
import urllib.error

import numpy as np
import pytest

from kerasdream.errors import ModelError
from kerasdream.models import tables
from kerasdream.models.applications import FACTORIES, FAMILIES, TIMEOUT
from kerasdream.models.extractor import build_extractor

QUICK = "inception_v3", "mobilenet", "mobilenet_v3_small", "vgg16"
"""Networks that are built in every run of the tests: of each kind of padding and input, those that build fast."""

NAMES = [name if name in QUICK else pytest.param(name, marks=pytest.mark.proof) for name in FACTORIES]
TOPPED = [name if name == "mobilenet_v3_small" else pytest.param(name, marks=pytest.mark.proof) for name in FACTORIES]
FAMILY = {name: (family, constructor) for family in FAMILIES for name, constructor in family.constructors.items()}
BYTES = "convnext", "efficientnet", "efficientnet_v2", "mobilenet_v3"
CAFFE = "resnet", "vgg16", "vgg19"


@pytest.fixture
def small_memory():
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
    """The network without most of its model, which the input range does not depend on."""
    import keras

    _, constructor = FAMILY[name]
    picture = keras.Input((None, None, 3))
    monkeypatch.setattr(keras.applications, constructor, lambda **_: keras.Model(picture, keras.layers.ReLU()(picture)))
    return FACTORIES[name](weights=None)


def expected_input(module: str, picture: np.ndarray) -> np.ndarray:
    """What the module's preprocess_input is documented to return for a picture in [-1, 1]."""
    pixels = (picture.astype("float64") + 1) * 127.5
    if module in BYTES:
        return pixels
    if module == "densenet":
        return (pixels / 255 - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    if module in CAFFE:
        return pixels[..., ::-1] - [103.939, 116.779, 123.68]
    return pixels / 127.5 - 1


def test_every_network_of_keras_applications_is_registered():
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
def test_input_has_the_documented_range(name, monkeypatch):
    picture = np.random.default_rng(0).uniform(-1, 1, (2, 5, 4, 3)).astype("float32")
    picture[0, 0, 0], picture[0, 0, 1] = -1, 1
    before = picture.copy()
    made = unbuilt(name, monkeypatch).preprocess(picture)
    np.testing.assert_allclose(made, expected_input(FAMILY[name][0].module, picture), rtol=1e-5, atol=1e-4)
    np.testing.assert_array_equal(picture, before)


@pytest.mark.parametrize("name", [next(iter(family.constructors)) for family in FAMILIES])
def test_preprocess_is_traceable_and_differentiable(name, monkeypatch):
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


@pytest.mark.no_cover
@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("name", NAMES)
def test_network_matches_its_table_and_takes_any_size(name):
    """The plan is made from the table, the run from the network: their geometry must be the same."""
    network = FACTORIES[name](weights=None)
    assert network.name == name
    side = 259 if name.startswith("nasnet") else None
    assert network.model.input.shape == (None, side, side, 3)
    assert tables.layers_of(network) == tables.layers(name)
    last = next(layer.name for layer in reversed(network.model.layers) if len(layer.output.shape) == 4)
    extractor = build_extractor(network.model, [last], fold=False)
    for shape in ((100, 131), (128, 96)):
        picture = np.random.default_rng(0).uniform(-1, 1, (1, *shape, 3)).astype("float32")
        activations = np.asarray(extractor.model(network.preprocess(picture))[last])
        positions = [axis.positions(length) for axis, length in zip(extractor.geometry[last], shape, strict=True)]
        assert list(activations.shape[1:3]) == positions
        assert np.isfinite(activations).all()


@pytest.mark.no_cover
@pytest.mark.usefixtures("small_memory")
@pytest.mark.parametrize("name", TOPPED)
def test_classifier_gives_logits_at_its_own_size(name):
    network = FACTORIES[name](weights=None, top=True)
    _, height, width, _ = network.model.input.shape
    assert height == width
    assert height in (224, 240, 260, 299, 300, 331, 380, 384, 456, 480, 528, 600)
    assert network.model.output.shape == (None, 1000)
    last = network.model.layers[-1]
    assert getattr(last, "activation", None) is None or last.activation.__name__ == "linear"


def test_weights_file_is_loaded_or_refused(tmp_path):
    made = FACTORIES["mobilenet"](weights=None)
    path = str(tmp_path / "made.weights.h5")
    made.model.save_weights(path)
    loaded = FACTORIES["mobilenet"](weights=path)
    for ours, theirs in zip(loaded.model.weights, made.model.weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ModelError, match=r"made\.weights\.h5 cannot be loaded into mobilenet.*the same `top`"):
        FACTORIES["mobilenet"](weights=path, top=True)


def test_published_efficientnet_weights_from_a_file_equal_the_download(tmp_path, monkeypatch):
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
def test_failed_download_is_one_message_with_two_ways_out(keras_home, monkeypatch, capsys, failure, reason):
    import keras

    def fail(*_):
        assert socket.getdefaulttimeout() == TIMEOUT
        raise failure

    def download(**_):  # as Keras does once it has built the network
        keras.utils.get_file("weights.h5", "https://storage.googleapis.com/weights.h5", cache_subdir="models")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", fail)
    monkeypatch.setattr(keras.applications, "MobileNetV3Small", download)
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
def test_damaged_downloads_are_not_kept(keras_home, monkeypatch, name):
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


def test_incomplete_download_is_repeated(keras_home, tmp_path, monkeypatch):
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


@pytest.mark.parametrize("error", [ValueError("a bug"), OSError(28, "No space left on device"), MemoryError("much")])
def test_other_errors_pass_through(keras_home, monkeypatch, error):
    import keras

    def broken(**_):
        raise error

    monkeypatch.setattr(keras.applications, "MobileNet", broken)
    with pytest.raises(type(error)) as caught:
        FACTORIES["mobilenet"]()
    assert caught.value is error


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
