"""The source at the size of each octave."""

import numpy as np

from kerasdream import images
from kerasdream.images import Scaled, scaled

SOURCE = np.random.default_rng(0).uniform(-1, 1, (20, 30, 3)).astype(np.float32)


def test_one_octave_is_resized_once_and_full_size_is_the_source(monkeypatch):
    calls = []
    monkeypatch.setattr(scaled, "resize", lambda *arguments: calls.append(arguments) or images.resize(*arguments))
    source = Scaled(SOURCE)
    np.testing.assert_array_equal(source.resized((10, 15)), images.resize(SOURCE, (10, 15)))
    assert source.resized((10, 15)) is source.resized((10, 15))
    assert len(calls) == 1
    assert source.resized((20, 30)) is SOURCE


def test_uint8_source_becomes_float():
    levels = images.to_uint8(SOURCE)
    np.testing.assert_allclose(Scaled(levels).resized((20, 30)), SOURCE, atol=0.5 / 127.5 + 1e-6)
