"""The benchmarks: competing steps compute what was published, and the tables hold what was measured."""

import json
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from click.testing import CliRunner

from benchmarks import __main__ as bench
from benchmarks import alone, cases, figures, keras_io, peak, speed, table, tutorial
from benchmarks.cases import Case, picture
from benchmarks.contestants import CONTESTANTS, TITLES, make
from kerasdream import Network
from kerasdream import _memory as memory

pytestmark = pytest.mark.no_cover


@pytest.fixture
def case(tiny):
    return Case(Network("tiny", tiny, lambda pictures: pictures), ("c3", "r1"))


@pytest.fixture
def activations(tiny):
    return keras.Model(tiny.input, [tiny.get_layer(name).output for name in ("c3", "r1")])


def test_area_covered_by_the_tutorial():
    assert tutorial.covered((299, 299)) == 299**2
    assert tutorial.covered((512, 512)) == 512**2
    assert tutorial.covered((600, 800)) / (600 * 800) == pytest.approx(0.54, abs=0.01)
    assert tutorial.covered((1024, 1024)) / 1024**2 == 0.25
    assert tutorial.covered((2048, 2048)) / 2048**2 == 0.75**2


@pytest.mark.parametrize("shape", [(100, 130), (50, 40)])
def test_gradient_of_the_tutorial_covers_whole_tiles_only(shape, activations):
    gradient, roll = tutorial.tiled_gradient(activations)(picture(shape), shape, 64)
    rolled = np.roll(gradient.numpy(), roll.numpy(), (0, 1)).any(axis=-1)
    rows, columns = (max(1, -(-side // 64) - 1) * 64 for side in shape)
    assert not rolled[rows:].any()
    assert not rolled[:, columns:].any()
    inside = rolled[:rows, :columns]
    assert inside.size == tutorial.covered(shape, 64)
    assert inside.mean() > 0.99


def test_gradient_of_the_tutorial_on_one_tile_is_the_published_one(activations):
    pixels = picture((96, 80))
    gradient, roll = tutorial.tiled_gradient(activations)(pixels, (96, 80), 128)
    variable = tf.Variable(np.roll(pixels, roll.numpy(), (0, 1))[None])
    with tf.GradientTape() as tape:
        c3, r1 = activations(variable)
        loss = tf.reduce_mean(c3) + tf.reduce_mean(r1)
    expected = np.roll(tape.gradient(loss, variable).numpy()[0], -roll.numpy(), (0, 1))
    np.testing.assert_allclose(gradient, expected / (expected.std() + 1e-8), atol=1e-4)


def test_gradient_of_the_tutorial_is_computed_tile_by_tile(activations):
    pixels, tile = picture((200, 136)), 64  # 3 by 2 tiles: rows 0 to 127, columns 0 to 127 of the rolled picture
    gradient, roll = tutorial.tiled_gradient(activations)(pixels, (200, 136), tile)
    rolled, expected = np.roll(pixels, roll.numpy(), (0, 1)), np.zeros_like(pixels)
    for top in range(0, 192, tile):
        for left in range(0, 128, tile):
            view = tf.Variable(rolled[None, top : top + tile, left : left + tile])
            with tf.GradientTape() as tape:
                loss = tf.add_n([tf.reduce_mean(a) for a in activations(view)])
            expected[top : top + tile, left : left + tile] = tape.gradient(loss, view)[0]
    expected = np.roll(expected, -roll.numpy(), (0, 1))
    np.testing.assert_allclose(gradient, expected / (expected.std() + 1e-8), atol=1e-4)


def test_loss_of_keras_io_is_the_published_one():
    random = np.random.default_rng(0)
    found = {layer: random.normal(size=(1, 9, 7, 5)).astype("float32") for layer in keras_io.WEIGHTS}
    expected = sum(
        weight * np.square(found[layer][:, 2:-2, 2:-2]).sum() / (9 * 7 * 5)
        for layer, weight in keras_io.WEIGHTS.items()
    )
    assert float(keras_io.published_loss(found)) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", CONTESTANTS)
def test_every_contestant_raises_the_same_score(name, case, activations):
    pixels = picture((70, 90))
    before = float(sum(tf.reduce_mean(a) for a in activations(pixels[None])))
    contestant = make(name, case)
    now = contestant.start(pixels.copy())
    for _ in range(10):
        now = contestant.wait(now)
    after = float(sum(tf.reduce_mean(a) for a in activations(np.reshape(now, (1, 70, 90, 3)))))
    assert after > before
    assert np.abs(np.asarray(now).reshape(70, 90, 3) - pixels).mean() == pytest.approx(0.08, abs=0.06)


def test_measurements_are_of_the_requested_steps(case, monkeypatch):
    monkeypatch.setattr(speed, "build", lambda name: case)
    monkeypatch.setattr(alone, "build", lambda name: case)
    rows = speed.speed("tiny", [(64, 64), (40, 600)], list(CONTESTANTS), 0, (2, 9))
    assert [(row["size"], row["contestant"]) for row in rows] == [
        (size, name) for size in ([64, 64], [40, 600]) for name in CONTESTANTS
    ]
    assert all(len(row["seconds"]) == 2 and min(row["seconds"]) > 0 for row in rows)
    assert [row["covered"] for row in rows] == [4096] * 3 + [40 * 600, 40 * 512, 40 * 600]
    measured = SimpleNamespace(resident=lambda: 100, reset_peak=lambda: None, peak=lambda: 350)
    monkeypatch.setattr(alone, "memory", measured)  # in a process that has run other tests nothing may be added
    row = alone.alone("tiny", "kerasdream", (600, 800), 0, (2, 2))
    assert row["first_size"] == [512, 512]
    assert row["first_s"] > min(row["seconds"]) > 0
    assert row["peak_bytes"] == 250


def test_peak_memory_includes_an_allocation():
    if memory.resident() is None:
        pytest.skip("memory is measured on Linux only")
    memory.reset_peak()
    base = memory.resident()
    np.ones(50_000_000, "uint8").sum()
    assert 49e6 < memory.peak() - base < 100e6  # the kernel counts in batches of pages
    assert memory.resident() - base < 25e6


def test_operations_are_counted_in_convolutions(tiny, monkeypatch):
    monkeypatch.setattr(peak, "build", lambda name: Case(Network("tiny", tiny, None), ("r2",)))
    by_hand = 9 * 3 * 8 / 2**2 + 9 * 8 * 8 / 4**2  # c1 and c2: products a pixel of the picture; c3 is behind r2
    assert peak.flop_per_pixel("tiny") == pytest.approx(4 * by_hand)


RESULTS = {
    "date": "2030-01-02",
    "machine": {
        "cpu": "Abacus",
        "cores": 2,
        "threads": 1,
        "vector": "AVX2",
        "memory_bytes": 8 * 2**30,
        "versions": {"tensorflow": "9.1", "keras": "8.2"},
    },
    "flop_per_second": 100e9,
    "networks": {
        "inception_v3": {
            "layers": ["mixed3", "mixed5"],
            "flop_per_pixel": 100_000,
            "speed": [
                {"size": [512, 512], "contestant": "kerasdream", "covered": 262144, "seconds": [0.5, 0.52, 9]},
                {"size": [512, 512], "contestant": "tutorial", "covered": 262144, "seconds": [0.78, 0.78, 0.78]},
                {"size": [1000, 1000], "contestant": "kerasdream", "covered": 10**6, "seconds": [2]},
                {"size": [1000, 1000], "contestant": "tutorial", "covered": 250_000, "seconds": [1.5]},
            ],
            "alone": [
                {"size": [1000, 1000], "contestant": "kerasdream", "first_size": [512, 512], "build_s": 2,
                 "first_s": 4.5, "seconds": [1.9, 1.8, 2.5], "peak_bytes": 300_000_000},
                {"size": [1000, 1000], "contestant": "tutorial", "killed": True},
                {"size": [2000, 2000], "contestant": "kerasdream", "first_size": [512, 512], "build_s": 2,
                 "first_s": 4.7, "seconds": [8.4], "peak_bytes": 420_000_000},
            ],
        }
    },
    "loop": {"`make demo`": {"first_step": 2, "gradient": 10.4, "dream": 10.8}},
}  # fmt: skip


def test_table_shows_the_measurements():
    assert table.markdown(RESULTS).splitlines() == [
        "Measured on 2030-01-02: Abacus, 2 cores (AVX2), threads limited to 1, 8 GB, TensorFlow 9.1, Keras 8.2.",
        "",
        "**InceptionV3**, `mixed3` + `mixed5`:",
        "",
        "| picture | kerasdream | TensorFlow tutorial |",
        "| --- | ---: | ---: |",
        "| 512×512 | 1,984 ns | 2,975 ns (1.50×) |",
        "| 1000×1000 | 2,000 ns, 300 MB | out of memory |",
        "| 2000×2000 | 2,100 ns, 420 MB |  |",
        "| geometric mean from 512×512 on |  | 2.12× |",
        "",
        "- Convolutions here reach 100 GFLOP/s at best, and the gradient needs 100,000 operations a pixel: 1,000 ns. "
        "kerasdream gets 50 % of that speed at 1000×1000.",
        "- From 1000×1000 to 2000×2000 its cost per pixel stays between -5.0 % and +5.0 % of the mean.",
        "- From 1000×1000 to 2000×2000 its memory grows by 40 bytes a pixel.",
        "- From the network to the first step done, traces included: 4.6 s (kerasdream).",
        "",
        "Of a dream's time after its first step, the gradient call takes 95.5 % (`make demo`).",
    ]


def test_table_leaves_out_what_was_not_measured():
    partial = {**RESULTS, "networks": {"efficientnet_lite0": {"layers": ["block11_expand"], "flop_per_pixel": 1}}}
    report = table.markdown({**partial, "loop": None})
    for measured in ("|", " ns", "dream's time"):
        assert measured not in report


def test_readme_has_the_latest_measurements():
    latest = json.loads(table.LATEST.read_text(encoding="utf-8"))
    readme = table.README.read_text(encoding="utf-8")
    assert table.with_section(readme, table.markdown(latest)) == readme
    assert not latest["quick"]


def test_figures_are_ratios_and_medians():
    network = RESULTS["networks"]["inception_v3"]
    assert figures.ratios(network["speed"])["tutorial"] == pytest.approx({(512, 512): 1.5, (1000, 1000): 3})
    assert figures.mean_ratios(network["speed"])["tutorial"] == pytest.approx(4.5**0.5)
    assert figures.share({"first_step": 1, "gradient": 20, "dream": 21}) == pytest.approx(0.95)


def test_command_line_reports_wrong_options():
    def error(*options):
        result = CliRunner().invoke(bench.main, options)
        assert result.exit_code == 2
        return result.output

    assert "512,600x800" in error("--sizes", "huge")
    assert "expected some of peak, speed, alone, loop" in error("--only", "everything")
    assert bench.Sizes().convert("299,600x800", None, None) == [(299, 299), (600, 800)]
    assert set(cases.LAYERS) == set(table.NETWORKS)
    assert {*CONTESTANTS} < {*TITLES}
