"""Loading model files, and what is said of files that are none."""

from __future__ import annotations

import json
import zipfile

import h5py
import keras
import numpy as np
import pytest

from kerasdream.errors import ModelError
from kerasdream.models.loading import load_model, why_not

CODE = """
import keras

class Square(keras.layers.Layer):
    def call(self, value):
        return value * value

def swish7(value):
    return value * keras.ops.sigmoid(7 * value)
"""


@pytest.fixture
def mine(tmp_path):
    """A Python file with a class and a function that are not registered with Keras."""
    (tmp_path / "mine.py").write_text(CODE)
    return tmp_path / "mine.py"


def saved(path, *layers):
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="c1"), *layers])
    model.save(path)
    return model


@pytest.mark.parametrize("ending", ["keras", "h5"])
@pytest.mark.parametrize("name", ["Square", "swish7"])
def test_code_defines_what_a_file_uses(tmp_path, mine, ending, name):
    scope = {}
    exec(CODE, scope)
    own = scope["Square"]() if name == "Square" else keras.layers.Activation(scope["swish7"])
    file = tmp_path / f"net.{ending}"
    model = saved(file, own)
    picture = np.ones((1, 8, 8, 3), "float32")
    np.testing.assert_allclose(load_model(file, code=mine)(picture), model(picture))
    with pytest.raises(ModelError, match=f"uses '{name}', which is not part of Keras; .*code: my_"):
        load_model(file)


def test_an_operation_in_an_h5_file_is_not_taken_for_a_class(tmp_path):
    picture = keras.Input((8, 8, 3))
    keras.Model(picture, keras.layers.Conv2D(2, 3)(picture / 255)).save(tmp_path / "net.h5")
    with pytest.raises(ModelError, match="TrueDivide, an operation such as x / 255, which an"):
        load_model(tmp_path / "net.h5")


def test_a_name_that_the_code_does_not_define_is_named(tmp_path, mine):
    class Squared(keras.layers.Layer):
        def call(self, value):
            return value * value

    saved(tmp_path / "net.keras", Squared())
    with pytest.raises(ModelError, match=r"uses 'Squared', which mine.py does not define; did you mean 'Square'\?"):
        load_model(tmp_path / "net.keras", code=mine)


def test_code_that_fails_or_is_missing_is_named(tmp_path, tiny):
    tiny.save(tmp_path / "tiny.keras")
    (tmp_path / "bad.py").write_text("import nothing_of_this_name")
    with pytest.raises(ModelError, match=r"bad\.py failed: ModuleNotFoundError: No module named 'nothing"):
        load_model(tmp_path / "tiny.keras", code=tmp_path / "bad.py")
    with pytest.raises(ModelError, match=r"gone\.py does not exist; expected a \.py file"):
        load_model(tmp_path / "tiny.keras", code=tmp_path / "gone.py")


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_code_inside_a_file_runs_only_with_trust(tmp_path, ending):
    saved(tmp_path / f"net.{ending}", keras.layers.Lambda(lambda value: 2 * value))
    with pytest.raises(ModelError, match=r"holds Python code \(a Lambda layer\).* use --trust"):
        load_model(tmp_path / f"net.{ending}")
    assert load_model(tmp_path / f"net.{ending}", trust=True).layers[-1].name.startswith("lambda")


def _empty(file):
    file.touch()


def _cut_off(file):
    saved(file)
    file.write_bytes(file.read_bytes()[:3000])


def _zip(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "hello")


def _saved_model(file):
    file.mkdir()
    (file / "saved_model.pb").touch()


def _of_keras_2(file):
    _saved_model(file)
    (file / "keras_metadata.pb").touch()


def _weights(file):
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)]).save_weights(file)


def _other_ending(file):
    saved(file.with_suffix(".keras"))
    file.with_suffix(".keras").rename(file)


def _wraps(file):
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("config.json", json.dumps({"config": {"layers": [{"class_name": "TFSMLayer", "config": {}}]}}))


WRONG = {
    "gone.keras": (lambda file: _empty(file.with_name("here.keras")), r"does not exist; did you mean 'here.keras'"),
    "empty.keras": (_empty, "is empty; save or copy it again"),
    "part.keras": (_cut_off, "is not a file that Keras saved, or only a part of one"),
    "other.keras": (_zip, "holds weights without their network"),
    "w.weights.h5": (_weights, r"holds weights without their network; save the whole .*\{name: resnet50, weights: w"),
    "saved": (_saved_model, r"is a SavedModel folder, which holds computations but no layers"),
    "saved2": (
        _of_keras_2,
        r"SavedModel folder of Keras 2.*load_model\('saved2'\)\.save\('saved2\.h5'\)",
    ),
    "folder": (lambda file: file.mkdir(), "is a folder; expected a .keras or .h5 file"),
    "net.h5": (_other_ending, "has the format of a .keras file; rename it to net.keras"),
    "net.onnx": (_empty, "belongs to ONNX; in the program that made the network, save the whole network"),
    "net.pt": (_empty, "holds weights for another program, such as PyTorch"),
    "tfsm.keras": (_wraps, r"wraps a SavedModel folder \(TFSMLayer\)"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_is_no_model_is_told_apart_before_it_is_loaded(tmp_path, name):
    make, message = WRONG[name]
    make(tmp_path / name)
    with pytest.raises(ModelError, match=message):
        load_model(tmp_path / name)


def test_a_whole_model_has_no_fault(tmp_path, tiny):
    tiny.save(tmp_path / "tiny.h5")
    assert why_not(tmp_path / "tiny.h5") == ""


def _as_keras_2(file, change):
    """Rewrite the configuration in an .h5 file as Keras 2 would have."""
    with h5py.File(file, "r+") as content:
        config = json.loads(content.attrs["model_config"])
        change(config["config"]["layers"][-1])
        content.attrs["model_config"] = json.dumps(config)
        content.attrs["keras_version"] = "2.15.0"


def test_depthwise_convolutions_of_keras_2_load(tmp_path):
    model = saved(tmp_path / "old.h5", keras.layers.DepthwiseConv2D(3))
    _as_keras_2(tmp_path / "old.h5", lambda layer: layer["config"].update(groups=1))
    picture = np.ones((1, 8, 8, 3), "float32")
    np.testing.assert_allclose(load_model(tmp_path / "old.h5")(picture), model(picture))


def test_what_keras_2_saved_and_keras_3_cannot_load_has_a_way_on(tmp_path):
    saved(tmp_path / "old.h5")
    _as_keras_2(tmp_path / "old.h5", lambda layer: layer.update(class_name="TFOpLambda"))
    with pytest.raises(ModelError, match=r"Keras 2: build the same .*load_weights\('old\.h5'\).*'old\.keras'"):
        load_model(tmp_path / "old.h5")
