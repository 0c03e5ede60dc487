"""Crops: cut out and resized, their gradient, batches of them."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasdream import Energy, GradientStep, Objective, ops
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.engine.crops import cropped, room_of
from kerasdream.plan.crops import Box, Windows
from kerasdream.plan.plan import Plan
from kerasdream.schedules import Progress

LAYER = "c3"


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (height, width, 3)).astype("float32")


def differentiated(model, layer, picture, density):
    """density's mean over the whole picture and its gradient, by TensorFlow alone."""
    features = keras.Model(model.input, model.get_layer(layer).output)
    variable = tf.Variable(picture[None])
    with tf.GradientTape() as tape:
        score = density(features(variable))
    return float(score), tape.gradient(score, variable).numpy()[0]


def test_crops_are_cut_out_exactly_and_resized_without_aliasing():
    picture = noise(60, 80)

    def seen(size, *boxes):
        room = room_of(boxes[0], size)
        views, same = (cropped(tf.constant(picture), np.array(boxes, "float32"), size, r) for r in (room, room + 40))
        np.testing.assert_allclose(views, same, atol=1e-6)  # nothing farther away takes part
        return views.numpy()

    boxes = Box(3, 7, 32, 32), Box(0, 48, 32, 32), Box(28, 0, 32, 32)
    for (top, left, _, _), view in zip(boxes, seen(32, *boxes), strict=True):
        np.testing.assert_array_equal(view, picture[top : top + 32, left : left + 32])
    larger = seen(45, Box(4, 10, 20, 20))[0]
    expected = tf.image.resize(picture[None, 4:24, 10:30], (45, 45)).numpy()[0]
    np.testing.assert_allclose(larger[3:-3, 3:-3], expected[3:-3, 3:-3], atol=1e-5)  # elsewhere more pixels count
    for size, side in ((20, 33), (32, 31), (7, 40)):
        seen(size, Box(11, 13, side, side))
    smaller = seen(16, Box(0, 0, 60, 60))[0]
    expected = tf.image.resize(picture[None, :, :60], (16, 16), antialias=True).numpy()[0]
    np.testing.assert_allclose(smaller[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-5)


def test_gradient_of_a_crop_is_zero_outside_it(tiny):
    picture = noise(90, 110)
    step = GradientStep(tiny, l2(layer=LAYER), input_range=(-1, 1), crops=Windows(64), seed=3)
    plan = Plan((picture.shape[:2],), (1,), step.cutting, 3, crops=step.crops)
    slope = step.evaluate(picture, plan, Progress(step=5))
    (box,) = plan.boxes(0, 5, None)
    assert slope.window == (slice(box.top, box.top + 64), slice(box.left, box.left + 64))
    score, expected = differentiated(
        tiny, LAYER, picture[slope.window], lambda a: 0.5 * tf.reduce_mean(tf.reduce_mean(a**2, -1))
    )
    assert slope.score == pytest.approx(score, rel=1e-5)
    np.testing.assert_allclose(slope.gradient[slope.window], expected, atol=1e-5 * np.abs(expected).max())
    outside = np.array(slope.gradient)
    outside[slope.window] = 0
    assert not outside.any()


def test_crops_are_averaged_and_energies_see_the_whole_picture(tiny):
    picture = noise(90, 110)
    quiet = Energy(lambda x: -0.5 * ops.mean(x**2, -1), radius=0)
    crops = Windows(64, count=5, side=0.5)
    steps = [
        GradientStep(tiny, l2(layer=LAYER), [quiet], input_range=(-1, 1), crops=crops, batch=batch) for batch in (2, 5)
    ]
    (score, gradient), (other_score, other_gradient) = (step(picture) for step in steps)
    assert score == pytest.approx(other_score, rel=1e-5)
    np.testing.assert_allclose(gradient, other_gradient, atol=1e-5 * np.abs(gradient).max())
    nothing = Objective(LAYER, lambda a: 0 * a[LAYER][..., 0])
    _, gradient = GradientStep(tiny, nothing, [quiet], input_range=(-1, 1), crops=crops, batch=2)(picture)
    np.testing.assert_allclose(gradient, -picture / picture.size, rtol=1e-4, atol=1e-10)
