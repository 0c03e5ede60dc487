"""Loading TensorFlow quietly, from Python as on the command line."""

import logging
import os
import subprocess
import sys

import pytest

from kerasdream.engine import loading

DREAM = """\
import kerasdream, PIL.Image
photo = PIL.Image.effect_noise((64, 64), 50)
kerasdream.dream(photo, octaves={"count": 1, "steps": 1}, objectives={"l2": "block1_expand"})
"""


def test_dream_from_python_prints_nothing(tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
    done = subprocess.run(
        [sys.executable, "-c", DREAM], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(("name", "said"), [("kerasdream.engine.tensorflow.Engine", False), ("Mine", True)])
def test_only_retracing_of_ours_goes_without_a_warning(caplog, name, said):
    loading.tensorflow()
    logging.getLogger("tensorflow").warning("5 calls to <bound method %s> triggered tf.function retracing.", name)
    assert bool(caplog.records) is said


def test_process_with_tensorflow_is_left_as_it_is(monkeypatch):
    import tensorflow as loaded

    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL")
    monkeypatch.setattr(loading, "_no_standard_error", lambda: pytest.fail("standard error is redirected"))
    assert loading.tensorflow() is loaded
    assert "TF_CPP_MIN_LOG_LEVEL" not in os.environ
