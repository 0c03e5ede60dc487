"""Score and gradient: tiles add up to the whole, no pixel is left out, one trace, any device."""

import os
import subprocess
import sys
from dataclasses import replace
from random import Random

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdream import GradientStep, Objective, Transform, ops
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.priors.total_variation import total_variation
from kerasdream.errors import DreamError
from kerasdream.images import resize
from kerasdream.plan.plan import Plan
from kerasdream.schedules import Progress


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


def test_tiles_with_a_full_halo_give_the_gradient_of_the_whole(tiny):
    picture = np.random.default_rng(0).uniform(-1, 1, (160, 224, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), tile=96, halo=16)
    assert step.cutting.field <= 16
    assert step.cutting.whole
    grid = step.cutting.layout(picture.shape[:2]).grid(Random(1))
    assert len(grid.tiles) > 4
    gradient, (score,), *_ = step.engine.gradient(picture, grid, whole=True)
    single = replace(step.cutting, size=400, border=16).layout(picture.shape[:2]).grid(Random(1))
    assert len(single.tiles) == 1
    whole, (whole_score,), *_ = step.engine.gradient(picture, single, whole=True)
    expected = whole_gradient(tiny, "c3", picture, 16)
    np.testing.assert_allclose(gradient, expected, atol=1e-4 * np.abs(expected).max())
    np.testing.assert_allclose(gradient, whole, atol=1e-4 * np.abs(whole).max())
    assert score == pytest.approx(whole_score, rel=1e-5)


def test_gradient_matches_finite_differences(tiny):
    picture = np.random.default_rng(0).uniform(-0.5, 0.5, (40, 40, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), halo=0)
    grid = step.cutting.layout((40, 40)).grid(Random(0))
    gradient, _, magnitude, _ = step.engine.gradient(picture, grid)
    assert magnitude == pytest.approx(np.abs(gradient).mean(), rel=1e-5)
    direction = gradient / np.abs(gradient).max()  # along which the score changes most, against float32's rounding
    scores = [step.engine.gradient(picture + e * direction, grid)[1][0] for e in (2e-3, -2e-3)]
    assert (scores[0] - scores[1]) / 4e-3 == pytest.approx(float((gradient * direction).sum()), rel=1e-2)


def test_one_trace_for_all_sizes(tiny):
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), transforms=[Transform(phase=32)])
    for i, shape in enumerate([(70, 90), (98, 126), (300, 200), (500, 800)]):
        step(np.zeros((*shape, 3), "float32"), step=i)
    assert step.engine.traces == 1
    assert step.engine._step.experimental_get_tracing_count() == 1


def valid():
    """A network that drops rows and columns of most sizes, as InceptionV3 does: VALID padding, strides 2."""
    keras.utils.set_random_seed(1)
    x = picture = keras.Input((None, None, 3))
    for number in range(3):
        x = keras.layers.Conv2D(8, 3, strides=2, name=f"strided{number}")(x)
        x = keras.layers.Conv2D(8, 3, name=f"conv{number}")(x)
    return keras.Model(picture, x)


def test_every_pixel_has_a_gradient_in_every_step(lite0, coffee):
    """With VALID padding, and with SAME."""
    picture, phase = coffee[:300, :452], [Transform(phase=32)]
    steps = [
        GradientStep(valid(), l2(layer="conv2"), transforms=phase, input_range=(-1, 1), tile=200),
        GradientStep(lite0, l2(layer="block5_expand"), transforms=phase, tile=256),
    ]
    for step in steps:
        assert step.cutting.layout(picture.shape[:2]).views > 1
        for number in range(3):
            _, gradient = step(picture, step=number)
            assert gradient.any(axis=-1).all()


def test_energies_add_up_over_tiles(tiny):

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


def test_exact_halo_gives_the_gradient_of_the_whole(tiny):
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


def test_wrapped_jitter_is_a_step_of_the_rolled_picture(tiny):
    picture = np.random.default_rng(0).uniform(-1, 1, (96, 128, 3)).astype("float32")
    plain, wrapped = (
        GradientStep(tiny, l2(layer="c3"), transforms=transforms, input_range=(-1, 1), seed=2)
        for transforms in ([], [Transform(phase=40, wrap=True)])
    )
    plan = Plan((picture.shape[:2],), (1,), wrapped.cutting, 2)
    rolls = {plan.roll(0, step) for step in range(50)}
    assert len(rolls) > 45
    assert max(max(map(abs, roll)) for roll in rolls) <= 40
    found, roll = wrapped.evaluate(picture, plan, Progress(step=7)), plan.roll(0, 7)
    score, expected = plain(np.roll(picture, roll, (0, 1)))
    assert found.score == pytest.approx(score, rel=1e-5)
    expected = np.roll(expected, (-roll[0], -roll[1]), (0, 1))
    np.testing.assert_allclose(found.gradient, expected, atol=1e-5 * np.abs(expected).max())


def test_views_shrink_when_memory_runs_out(tiny, monkeypatch):
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
    with pytest.raises(DreamError, match="even with the smallest tiles"):
        step(picture)


@pytest.mark.parametrize("options", [{"precision": "mixed"}, {"jit": True}], ids=["mixed", "jit"])
def test_mixed_precision_and_jit_agree_with_float32(tiny, options):
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


@pytest.mark.no_cover
def test_bytes_are_reproducible_under_load(lite0, coffee):
    """While the machine is busy with as many processes as it has processors, and twice over."""

    picture = resize(coffee, (240, 400)).clip(-1, 1)
    step = GradientStep(lite0, l2(layer="block5_expand"), transforms=[Transform(phase=32)], tile=192)
    assert step.cutting.layout((240, 400)).views > 2
    alone = [step(picture, step=i)[1].tobytes() for i in range(3)]
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        busy = [step(picture, step=i)[1].tobytes() for i in range(3)]
    finally:
        for process in load:
            process.kill()
            process.wait()
    assert busy == alone


def test_host_and_accelerator_agree(tiny, monkeypatch):
    from kerasdream.engine import tensorflow as engine

    picture = np.random.default_rng(0).uniform(-1, 1, (200, 150, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1), tile=96)
    usual = step(picture)[1]
    monkeypatch.setattr(engine, "home", lambda pixels: "/CPU:0")
    np.testing.assert_array_equal(step(picture)[1], usual)
    monkeypatch.setattr(engine, "on_host", lambda place: False)  # as on an accelerator
    other = step.engine.gradient(tf.constant(picture), step.cutting.layout((200, 150)).grid(Random("0 0 0")))[0]
    np.testing.assert_allclose(other, usual, rtol=1e-6, atol=1e-6 * np.abs(usual).max())
