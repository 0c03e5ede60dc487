"""Views are windows of the mirrored picture; where the picture is kept."""

import numpy as np
import tensorflow as tf

from kerasdream.engine.canvas import cut, rolled
from kerasdream.plan.panels import Panels
from kerasdream.plan.tiling import Span, Tile


def test_views_are_windows_of_the_mirrored_picture():
    picture = np.random.default_rng(0).normal(size=(40, 50, 3)).astype("float32")
    around = np.pad(picture, ((39, 39), (49, 49), (0, 0)), mode="reflect")
    for rows, columns in ((-9, 49), (-5, 59)), ((3, 20), (-49, 8)), ((30, 79), (7, 50)), ((-39, 79), (0, 50)):
        view = cut(tf.constant(picture), Tile(Span(0, 0, *rows), Span(0, 0, *columns)))
        expected = around[rows[0] + 39 : rows[1] + 39, columns[0] + 49 : columns[1] + 49]
        np.testing.assert_array_equal(view, expected)


def test_picture_is_kept_on_the_accelerator_if_it_fits(monkeypatch):
    from types import SimpleNamespace

    from kerasdream.engine import canvas as engine

    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    assert engine.home(512 * 512) is None
    gpu = SimpleNamespace(name="/device:GPU:0")
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [gpu])
    monkeypatch.setattr(engine, "_gpu_memory", lambda: 2**30)
    assert engine.home(2048 * 2048) == "/device:GPU:0"
    assert engine.home(8192 * 8192) == "/CPU:0"


def test_panels_are_rolled_separately():
    sheet = np.random.default_rng(0).normal(size=(40, 60, 3)).astype("float32")
    panels = Panels(2, 2)
    moved = np.asarray(rolled(sheet, (3, -5), panels))
    for window in panels.windows((40, 60)):
        np.testing.assert_array_equal(moved[window], np.roll(sheet[window], (3, -5), (0, 1)))
