"""The memory that ``kerasdream tune`` measures in a fresh process is that of a tile."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kerasdream.cli.tune import measured
from kerasdream.plan.tile_size import BYTES

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(sys.platform != "linux", reason="peak memory is known only on Linux"),
]

MEASURE = """\
import sys

import keras

from kerasdream import Energy, GradientStep, ops
from kerasdream.cli.measure import bytes_per_pixel
from kerasdream.builtin.objectives.l2 import l2

picture = keras.Input((None, None, 3))
model = keras.Model(picture, keras.layers.Conv2D(8, 3, strides=2, padding="same", name="c1")(picture))


def wasteful(views):
    return ops.mean(ops.square(ops.tile(views, (1, 1, 1, 17))), axis=-1)  # 51 channels, float32


priors = [Energy(wasteful, radius=0)] if "more" in sys.argv else []
print(bytes_per_pixel(GradientStep(model, l2(layer="c1"), priors, input_range=(-1, 1))))
"""


def test_measured_memory_is_that_of_one_tile():
    """A part that keeps 200 more bytes per pixel adds them to the measurement."""
    found = [
        int(subprocess.run([sys.executable, "-c", MEASURE, *more], check=True, capture_output=True, text=True).stdout)
        for more in ([], ["more"])
    ]
    assert 10 < found[0] < 500
    assert found[1] > found[0] + 150


def test_shipped_memory_matches_the_measurement():
    found = measured("efficientnet_lite0", [], [], budget=2**28, side=256, rounds=1)
    assert found.bytes == pytest.approx(BYTES["efficientnet_lite"], rel=0.3)
