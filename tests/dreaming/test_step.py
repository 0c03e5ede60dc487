"""The gradient step: tiles add up to the whole, no pixel is left out, one trace."""

import os
import subprocess
import sys
from dataclasses import replace
from random import Random

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasdream
from kerasdream import Energy, GradientStep, Objective, Transform, ops
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.objectives.mean import mean
from kerasdream.engine.canvas import cut
from kerasdream.errors import ConfigError, DreamError, ModelError, PluginError
from kerasdream.plan.tiling import Span, Tile


def whole_gradient(model, layer, picture, pad):
    """½·mean(a²) over the positions inside the picture, on the whole mirrored picture, by TensorFlow alone."""
    height, width = picture.shape[:2]
    padded = np.pad(picture, ((pad, pad), (pad, pad), (0, 0)), mode="reflect")[None]
    features = keras.Model(model.input, model.get_layer(layer).output)
    variable = tf.Variable(padded)
    with tf.GradientTape() as tape:
        density = 0.5 * tf.reduce_mean(tf.square(features(variable)), -1)
        stride = padded.shape[1] // density.shape[1]
        score = tf.reduce_sum(density) * stride**2 / (height * width)
    return tape.gradient(score, variable).numpy()[0, pad : pad + height, pad : pad + width]


def test_tiles_equal_the_whole_where_the_halo_covers_the_receptive_field(tiny):
    picture = np.random.default_rng(0).uniform(-1, 1, (160, 224, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), tile=96, halo=16)
    assert step.cutting.field <= 16
    assert step.cutting.whole
    grid = step.cutting.layout(picture.shape[:2]).grid(Random(1))
    assert len(grid.tiles) > 4
    gradient, (score,), _ = step.engine.gradient(picture, grid, whole=True)
    single = replace(step.cutting, size=400, border=16).layout(picture.shape[:2]).grid(Random(1))
    assert len(single.tiles) == 1
    whole, (whole_score,), _ = step.engine.gradient(picture, single, whole=True)
    expected = whole_gradient(tiny, "c3", picture, 16)
    np.testing.assert_allclose(gradient, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(gradient, whole, atol=1e-4 * np.abs(whole).max())
    assert score == pytest.approx(whole_score, rel=1e-5)


def test_the_gradient_is_that_of_the_score_by_finite_differences(tiny):
    picture = np.random.default_rng(0).uniform(-0.5, 0.5, (40, 40, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), halo=0)
    grid = step.cutting.layout((40, 40)).grid(Random(0))
    gradient, _, magnitude = step.engine.gradient(picture, grid)
    assert magnitude == pytest.approx(np.abs(gradient).mean(), rel=1e-5)
    direction = gradient / np.abs(gradient).max()  # along which the score changes most, against float32's rounding
    scores = [step.engine.gradient(picture + e * direction, grid)[1][0] for e in (2e-3, -2e-3)]
    assert (scores[0] - scores[1]) / 4e-3 == pytest.approx(float((gradient * direction).sum()), rel=1e-2)


def test_views_are_windows_of_the_mirrored_picture():
    picture = np.random.default_rng(0).normal(size=(40, 50, 3)).astype("float32")
    around = np.pad(picture, ((39, 39), (49, 49), (0, 0)), mode="reflect")
    for rows, columns in ((-9, 49), (-5, 59)), ((3, 20), (-49, 8)), ((30, 79), (7, 50)), ((-39, 79), (0, 50)):
        view = cut(tf.constant(picture), Tile(Span(0, 0, *rows), Span(0, 0, *columns)))
        expected = around[rows[0] + 39 : rows[1] + 39, columns[0] + 49 : columns[1] + 49]
        np.testing.assert_array_equal(view, expected)


def test_one_trace_for_all_sizes(tiny):
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), transforms=[Transform(phase=32)])
    for i, shape in enumerate([(70, 90), (98, 126), (300, 200), (500, 800)]):
        step(np.zeros((*shape, 3), "float32"), step=i)
    assert step.engine.traces == 1
    assert step.engine._step.experimental_get_tracing_count() == 1


@pytest.mark.parametrize("name", ["efficientnet_lite0", "inception_v3"])
def test_every_pixel_has_a_gradient_in_every_step(name, request, coffee):
    from kerasdream.images import resize
    from kerasdream.models.applications import FACTORIES

    if name == "inception_v3":
        network, layers = FACTORIES[name](weights=None), ["mixed3", "mixed5"]
    else:
        network, layers = request.getfixturevalue("lite0"), ["block11_expand"]
    picture = resize(coffee, (600, 800)).clip(-1, 1)
    step = GradientStep(network, [l2(layer=layer) for layer in layers], transforms=[Transform(phase=32)])
    for i in range(3):
        _, gradient = step(picture, step=i)
        assert gradient.any(axis=-1).all()


def test_scores_are_means_and_weights_multiply_once(tiny):
    picture = np.random.default_rng(0).uniform(-1, 1, (64, 64, 3)).astype("float32")
    single = [GradientStep(tiny, o, input_range=(-1, 1), halo=0) for o in (l2(layer="c3"), mean(layer="r1"))]
    both = GradientStep(tiny, 2 * l2(layer="c3") - 3 * mean(layer="r1"), input_range=(-1, 1), halo=0)
    (a, da), (b, db) = (step(picture) for step in single)
    score, gradient = both(picture)
    assert score == pytest.approx(2 * a - 3 * b, rel=1e-5)
    np.testing.assert_allclose(gradient, 2 * da - 3 * db, atol=1e-5 * np.abs(gradient).max())
    features = kerasdream.feature_extractor(tiny, ["c3", "r1"])(picture[None])
    assert a == pytest.approx(0.5 * np.square(features["c3"]).mean(), rel=1e-4)
    assert b == pytest.approx(features["r1"].numpy().mean(), rel=1e-4)


def test_an_energy_adds_up_over_tiles(tiny):
    from kerasdream.builtin.priors.total_variation import total_variation

    picture = np.random.default_rng(0).uniform(-1, 1, (200, 150, 3)).astype("float32")
    nothing = Objective("r1", lambda activations: 0.0 * ops.mean(activations["r1"], axis=-1))
    step = GradientStep(tiny, nothing, [total_variation()], input_range=(-1, 1), tile=64, halo=4)
    score, gradient = step(picture)
    across, down = np.diff(picture, axis=1), np.diff(picture, axis=0)
    expected = np.zeros_like(picture)
    expected[:, :-1] += np.sign(across)
    expected[:, 1:] -= np.sign(across)
    expected[:-1] += np.sign(down)
    expected[1:] -= np.sign(down)
    expected /= picture.size
    inner = np.s_[2:-2, 2:-2]  # at its edge the picture has mirrored neighbours
    np.testing.assert_allclose(gradient[inner], expected[inner], atol=1e-4 * np.abs(expected).max())
    assert score == pytest.approx(-(np.abs(across).sum() + np.abs(down).sum()) / picture.size, rel=2e-2)


def test_transforms_are_drawn_anew_each_step_and_shared_by_tiles(tiny):
    def apply(views, seed):
        return views * keras.random.uniform((), 0.5, 1.5, seed=seed)

    picture = np.random.default_rng(0).uniform(-1, 1, (120, 120, 3)).astype("float32")
    step = GradientStep(tiny, mean(layer="r1"), transforms=[Transform(apply)], input_range=(-1, 1), tile=64, seed=3)
    assert step(picture, step=1)[0] == step(picture, step=1)[0]
    assert step(picture, step=1)[0] != step(picture, step=2)[0]
    assert step.engine.traces == 1


def test_faults_are_sentences(tiny):
    with pytest.raises(ModelError, match="input_range"):
        GradientStep(tiny, l2(layer="c3"))
    with pytest.raises(ModelError, match="did you mean 'c3'"):
        GradientStep(tiny, l2(layer="c33"), input_range=(-1, 1))
    with pytest.raises(ConfigError, match="no objective"):
        GradientStep(tiny, [], input_range=(-1, 1))
    wrong = Objective("c3", lambda activations: activations["c3"])
    with pytest.raises(PluginError, match=r"expected \(n, h, w\) or \(n,\)"):
        GradientStep(tiny, wrong, input_range=(-1, 1))(np.zeros((32, 32, 3), "float32"))
    raising = Energy(lambda picture: 1 / 0, radius=0)
    with pytest.raises(PluginError, match="energy failed: ZeroDivisionError"):
        GradientStep(tiny, l2(layer="c3"), [raising], input_range=(-1, 1))(np.zeros((32, 32, 3), "float32"))


def attention():
    """A tiny network in which every position sees all others."""
    picture = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 3, name="c1")(picture)
    scale = keras.layers.Dense(4)(keras.layers.GlobalAveragePooling2D()(x))
    x = keras.layers.Multiply(name="gated")([x, keras.layers.Reshape((1, 1, 4))(scale)])
    return keras.Model(picture, x)


def test_exact_tiles_give_the_gradient_of_the_whole_picture(tiny):
    """Of the picture mirrored at its end to a size that suits the network, for random cuts."""
    picture = np.random.default_rng(0).uniform(-1, 1, (150, 213, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), tile=96, halo="exact")
    height, width = (step.cutting.lattice.up(side) for side in (150, 213))
    padded = np.pad(picture, ((0, height - 150), (0, width - 213), (0, 0)), mode="reflect")
    features = keras.Model(tiny.input, tiny.get_layer("c3").output)
    variable = tf.Variable(padded[None])
    with tf.GradientTape() as tape:
        density = 0.5 * tf.reduce_mean(tf.square(features(variable)), -1)
        stride = height // density.shape[1]
        score = tf.reduce_sum(density) * stride**2 / (150 * 213)
    whole = tape.gradient(score, variable).numpy()[0, :150, :213]
    for draw in range(3):
        grid = step.cutting.layout((150, 213)).grid(Random(draw))
        assert len(grid.tiles) > 2
        _, gradient = step(picture, step=draw)
        assert np.abs(gradient - whole).max() <= 1e-4 * np.abs(whole).max()


def test_exact_is_refused_where_every_pixel_matters_to_all():
    with pytest.raises(ConfigError, match="behind global pooling or attention"):
        GradientStep(attention(), l2(layer="gated"), input_range=(-1, 1), halo="exact")


def test_when_memory_runs_out_the_views_become_smaller(tiny, monkeypatch):
    picture = np.random.default_rng(0).uniform(-1, 1, (300, 300, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), tile=400)
    calls, computed = [], step.engine._step

    def limited(views, *rest):
        calls.append(views.shape[1] * views.shape[2])
        if views.shape[0] * views.shape[1] * views.shape[2] > 30_000:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return computed(views, *rest)

    monkeypatch.setattr(step.engine, "_step", limited)
    score, gradient = step(picture)
    assert calls[0] == 90_000
    assert step.cutting.size < 400
    assert score > 0
    assert gradient.any(axis=-1).mean() > 0.99
    monkeypatch.setattr(step.engine, "_step", lambda *rest: limited(np.zeros((1, 999, 999, 3)), *rest[1:]))
    with pytest.raises(DreamError, match="even for the smallest views"):
        step(picture)


@pytest.mark.parametrize("options", [{"precision": "mixed"}, {"jit": True}], ids=["mixed", "jit"])
def test_other_ways_to_compute_agree(tiny, options):
    """XLA to rounding; bfloat16, whose numbers have 8 bits, in direction."""
    picture = np.random.default_rng(0).uniform(-1, 1, (90, 90, 3)).astype("float32")
    usual = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1))
    other = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), **options)
    (score, gradient), (other_score, other_gradient) = usual(picture), other(picture)
    cosine = float((gradient * other_gradient).sum() / np.linalg.norm(gradient) / np.linalg.norm(other_gradient))
    assert other_gradient.dtype == np.float32
    assert cosine > (0.99 if "precision" in options else 0.999_999)
    assert other_score == pytest.approx(score, rel=3e-2 if "precision" in options else 1e-5)
    assert usual.engine.score.extractor.model.dtype_policy.compute_dtype == "float32"


def test_the_same_bytes_with_two_batches_under_way_and_under_load(lite0, coffee):
    """While the machine is busy with as many processes as it has processors, and twice over."""
    from kerasdream.images import resize

    picture = resize(coffee, (360, 560)).clip(-1, 1)
    step = GradientStep(lite0, l2(layer="block11_expand"), transforms=[Transform(phase=32)], tile=256)
    assert step.cutting.layout((360, 560)).views > 2
    alone = [step(picture, step=i)[1].tobytes() for i in range(3)]
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        busy = [step(picture, step=i)[1].tobytes() for i in range(3)]
    finally:
        for process in load:
            process.kill()
            process.wait()
    assert busy == alone


def test_a_picture_lives_on_the_accelerator_where_it_fits(monkeypatch):
    from types import SimpleNamespace

    from kerasdream.engine import canvas as engine

    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [])
    assert engine.home(512 * 512) is None
    gpu = SimpleNamespace(name="/device:GPU:0")
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: [gpu])
    monkeypatch.setattr(engine, "_gpu_memory", lambda: 2**30)
    assert engine.home(2048 * 2048) == "/device:GPU:0"
    assert engine.home(8192 * 8192) == "/CPU:0"


def test_host_and_accelerator_put_the_same_gradient_together(tiny, monkeypatch):
    from kerasdream.engine import tensorflow as engine

    picture = np.random.default_rng(0).uniform(-1, 1, (200, 150, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), tile=96)
    usual = step(picture)[1]
    monkeypatch.setattr(engine, "home", lambda pixels: "/CPU:0")
    np.testing.assert_array_equal(step(picture)[1], usual)
    monkeypatch.setattr(engine, "on_host", lambda place: False)  # as on an accelerator
    other = step.engine.gradient(tf.constant(picture), step.cutting.layout((200, 150)).grid(Random("0 0 0")))[0]
    np.testing.assert_allclose(other, usual, rtol=1e-6)
