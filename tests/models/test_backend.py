"""The backend of Keras."""

import json
import subprocess
import sys
import types

import pytest

from kerasdream import ModelError
from kerasdream.models.backend import require_tensorflow


@pytest.fixture
def no_keras(monkeypatch, tmp_path):
    """A process that has not imported Keras, with a Keras folder of its own."""
    monkeypatch.delitem(sys.modules, "keras")
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    return tmp_path / "keras.json"


def test_tensorflow_is_the_default(no_keras, monkeypatch):
    require_tensorflow()
    no_keras.write_text("not json")
    require_tensorflow()
    no_keras.write_text(json.dumps({"backend": "jax"}))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")
    require_tensorflow()


def test_another_backend_is_an_error_that_names_where_it_is_set(no_keras, monkeypatch):
    no_keras.write_text(json.dumps({"backend": "jax"}))
    with pytest.raises(ModelError, match=r"Keras runs on jax here \(.*keras\.json\), but kerasdream needs TensorFlow"):
        require_tensorflow()
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    with pytest.raises(ModelError, match=r"Keras runs on torch here \(KERAS_BACKEND=torch\), but"):
        require_tensorflow()
    config = types.SimpleNamespace(backend=lambda: "numpy")
    monkeypatch.setitem(sys.modules, "keras", types.SimpleNamespace(config=config))
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # too late
    with pytest.raises(
        ModelError, match=r'runs on numpy here, but .* set os\.environ\["KERAS_BACKEND"\] = "tensorflow"'
    ):
        require_tensorflow()


def test_dreaming_on_another_backend_is_one_sentence():
    code = "import kerasdream\ntry: kerasdream.dream('noise')\nexcept kerasdream.ModelError as error: print(error)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={"KERAS_BACKEND": "numpy"}, capture_output=True, text=True, timeout=100
    )
    assert done.stdout.startswith("Keras runs on numpy here (KERAS_BACKEND=numpy), but kerasdream needs TensorFlow")
    assert done.stderr == ""
