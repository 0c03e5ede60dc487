"""What the network looks at beside tiles: crops, a second picture, masks, single positions, a picture that wraps."""

from dataclasses import replace
from random import Random

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from scipy.ndimage import gaussian_filter

import kerasdream
from kerasdream import Energy, GradientStep, Objective, ops
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.components import LOGITS
from kerasdream.config.document import Document
from kerasdream.config.run_config import resolve
from kerasdream.dreaming.step import as_network
from kerasdream.engine.chain import Chain
from kerasdream.engine.crops import cropped, room_of
from kerasdream.errors import ConfigError, ImageError, ModelError
from kerasdream.plan.crops import Box, Windows
from kerasdream.plan.plan import Plan
from kerasdream.plugins.spec import PartSpec
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


def whole(model, objective, **options):
    return GradientStep(model, objective, input_range=(-1, 1), tile=512, halo=0, **options)


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
    np.testing.assert_allclose(larger[3:-3, 3:-3], expected[3:-3, 3:-3], atol=1e-5)  # beside them: what lies around
    for size, side in ((20, 33), (32, 31), (7, 40)):
        seen(size, Box(11, 13, side, side))
    smaller = seen(16, Box(0, 0, 60, 60))[0]
    expected = tf.image.resize(picture[None, :, :60], (16, 16), antialias=True).numpy()[0]
    np.testing.assert_allclose(smaller[1:-1, 1:-1], expected[1:-1, 1:-1], atol=1e-5)


def test_crops_lie_around_the_middle_as_deepdraw_draws_them():
    crops = Windows(224, spread=0.3)
    drawn = np.array([crops.boxes((322, 400), Random(i))[0] for i in range(4000)])
    assert set(drawn[:, 2]) == set(drawn[:, 3]) == {224}
    room = 400 - 224
    expected = np.clip(np.random.default_rng(0).normal(room / 2, 0.3 * room, 100_000), 0, room).astype(int)
    assert drawn[:, 1].min() == 0
    assert drawn[:, 1].max() == room
    np.testing.assert_allclose(np.quantile(drawn[:, 1], [0.1, 0.3, 0.5, 0.7, 0.9]),
                               np.quantile(expected, [0.1, 0.3, 0.5, 0.7, 0.9]), atol=7)  # fmt: skip
    assert crops.boxes((100, 300), Random(0))[0][2:] == (100, 100)
    assert Windows(64, count=3).boxes((200, 300), Random(0), 0.25)[2][2:] == (50, 50)


def test_the_gradient_of_a_crop_is_that_of_the_crop_alone(tiny):
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


def test_several_crops_are_averaged_in_batches_and_energies_see_the_whole(tiny):
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


def test_a_step_of_a_window_leaves_the_rest_alone():
    def remember(gradient, memory, state):
        velocity, count = memory
        return gradient + velocity, (velocity + gradient, count + 1)

    rule = kerasdream.Rule(remember, lambda state: (0 * state, np.float32(0)))
    chain = Chain([PartSpec.of("ascent", rule)])
    state, gradient, window = 0 * noise(20, 30), 0.1 * noise(20, 30, 1), (slice(4, 12), slice(10, 25))
    once, memory = chain.step(state, None, gradient, Progress(), window)
    again, (memory,) = chain.step(once, memory, gradient, Progress(), window)
    inside = np.zeros_like(state)
    inside[window] = gradient[window]
    np.testing.assert_allclose(once, inside, atol=1e-6)
    np.testing.assert_allclose(again, 3 * inside, atol=1e-6)
    np.testing.assert_allclose(memory[0], 2 * inside, atol=1e-6)
    assert float(memory[1]) == 2


def test_the_source_is_seen_through_the_same_views(tiny):
    picture, source = noise(96, 128), noise(96, 128, 1)

    def product(activations, beside):
        return ops.mean(activations[LAYER] * beside[LAYER], axis=-1)

    step = whole(tiny, Objective(LAYER, product, reference="source"))
    features = keras.Model(tiny.input, tiny.get_layer(LAYER).output)
    score, expected = differentiated(tiny, LAYER, picture, lambda a: tf.reduce_mean(a * features(source[None])))
    found, gradient = step(picture, source=source)
    assert found == pytest.approx(score, rel=1e-4)
    np.testing.assert_allclose(gradient, expected, atol=1e-4 * np.abs(expected).max())
    turned = kerasdream.Transform(lambda views, seed: views[:, ::-1] * keras.random.uniform((), seed=seed))
    both = GradientStep(
        tiny, Objective(LAYER, lambda a, b: -ops.mean((a[LAYER] - b[LAYER]) ** 2, -1), reference="source"),
        transforms=[turned], input_range=(-1, 1), tile=64,
    )  # fmt: skip
    assert both(source, source=source)[0] == 0
    assert both(picture, source=source)[0] < 0
    with pytest.raises(ConfigError, match="expected the source too"):
        step(picture)


def test_an_energy_may_compare_with_the_source(tiny):
    picture, source = noise(96, 128), noise(96, 128, 1)
    near = Energy(lambda x, beside: -0.5 * ops.mean((x - beside) ** 2, -1), radius=0, reference="source")
    nothing = Objective(LAYER, lambda a: 0 * a[LAYER][..., 0])
    for options in ({"tile": 64, "halo": "exact"}, {"crops": Windows(48)}):
        step = GradientStep(tiny, nothing, [near], input_range=(-1, 1), **options)
        score, gradient = step(picture, source=source)
        assert score == pytest.approx(-0.5 * ((picture - source) ** 2).mean(), rel=1e-4)
        np.testing.assert_allclose(gradient, (source - picture) / picture.size, rtol=1e-3, atol=1e-9)


def test_a_guide_is_seen_once_in_whole(tiny, tmp_path):
    guide = np.random.default_rng(5).integers(0, 256, (40, 56, 3)).astype("uint8")
    Image.fromarray(guide).save(tmp_path / "guide.png")
    seen = []

    def best(activations, beside):
        seen.append(beside[LAYER])
        vectors = ops.reshape(beside[LAYER], (-1, beside[LAYER].shape[-1]))
        return ops.max(activations[LAYER] @ ops.transpose(vectors), axis=-1)

    objective = Objective(LAYER, best, reference=tmp_path / "guide.png")
    whole(tiny, objective)(noise(64, 96))
    features = keras.Model(tiny.input, tiny.get_layer(LAYER).output)
    np.testing.assert_allclose(seen[-1], features(guide[None] / np.float32(127.5) - 1), atol=1e-5)
    with pytest.raises(ImageError, match=r"nowhere\.png"):
        GradientStep(tiny, Objective(LAYER, best, reference=tmp_path / "nowhere.png"), input_range=(-1, 1))


@pytest.mark.parametrize("size", [None, 48])
def test_a_guide_serves_crops_too(size, tmp_path):
    """Also where the network takes pictures of one size only: the guide is then brought to it."""
    Image.fromarray(np.random.default_rng(5).integers(0, 256, (40, 56, 3)).astype("uint8")).save(tmp_path / "guide.png")
    keras.utils.set_random_seed(1)
    picture = keras.Input((size, size, 3))
    features = keras.layers.Conv2D(8, 3, strides=2, activation="relu", name=LAYER)(picture)
    seen = []

    def best(activations, beside):
        seen.append(beside[LAYER].shape)
        return ops.mean(activations[LAYER] * ops.mean(beside[LAYER], axis=(1, 2), keepdims=True), axis=-1)

    objective = Objective(LAYER, best, reference=tmp_path / "guide.png")
    step = GradientStep(keras.Model(picture, features), objective, input_range=(-1, 1), crops=Windows(48))
    score, gradient = step(noise(60, 70))
    assert score > 0
    assert gradient.any()
    assert seen[-1] == ((1, 23, 23, 8) if size else (1, 19, 27, 8))


def test_what_lies_beside_is_read_once(tiny, half, monkeypatch):
    from kerasdream.images.masks import Mask

    near = PartSpec.of(
        "objectives", Objective(LAYER, lambda a, b: ops.mean(a[LAYER] * b[LAYER], -1), reference="source")
    )
    near = replace(near, values={"mask": Mask(half)})
    reads, at = [], Mask.resized
    monkeypatch.setattr(Mask, "resized", lambda mask, shape: reads.append(shape) or at(mask, shape))
    step, source = whole(tiny, [near]), noise(96, 128, 1)
    scores = [step(noise(96, 128), source=source)[0] for _ in range(3)]
    assert len(set(scores)) == len(reads) == 1
    assert step(noise(96, 128), source=noise(96, 128, 2))[0] != scores[0]


@pytest.fixture
def half(tmp_path):
    """A mask: the right half of the picture."""
    mask = np.zeros((40, 60), "uint8")
    mask[:, 30:] = 255
    Image.fromarray(mask).save(tmp_path / "mask.png")
    return tmp_path / "mask.png"


def test_a_mask_says_where_an_objective_counts(tiny, half, tmp_path):
    picture = noise(96, 128)
    Image.fromarray(((picture + 1) * 127.5).round().astype("uint8")).save(tmp_path / "photo.png")

    def step_for(objectives):
        config = resolve(
            Document({"image": "photo.png", "model": as_network(tiny, (-1, 1)),
                                        "objectives": objectives}, "test"), tmp_path)  # fmt: skip
        return [
            GradientStep(tiny, config.objectives, input_range=(-1, 1), tile=tile, halo=halo)
            for tile, halo in ((512, 0), (64, 16))
        ]

    masked = [{"l2": {"layer": LAYER, "mask": str(half)}}]
    inverse = [{"l2": {"layer": LAYER, "mask": {"path": str(half), "invert": True}}}]
    features = keras.Model(tiny.input, tiny.get_layer(LAYER).output)
    density = 0.5 * np.mean(features(picture[None]).numpy() ** 2, -1)
    left, right = density[:, :, : density.shape[2] // 2], density[:, :, density.shape[2] // 2 :]
    for step, other, plain in zip(step_for(masked), step_for(inverse), step_for([{"l2": LAYER}]), strict=True):
        (score, gradient), (rest, remaining), (all_, everything) = (one(picture) for one in (step, other, plain))
        if step.cutting.size == 512:  # in tiles the positions lie elsewhere
            assert score == pytest.approx(right.sum() / density.size, rel=2e-2)
            assert rest == pytest.approx(left.sum() / density.size, rel=2e-2)
        assert score + rest == pytest.approx(all_, rel=1e-4)
        np.testing.assert_allclose(gradient + remaining, everything, atol=0.05 * np.abs(everything).max())
        assert not gradient[:, : 64 - 20].any()


def test_a_feathered_mask_is_soft_and_scales_with_the_picture(half):
    from kerasdream.images.masks import Mask

    for size in (60, 240):
        soft = Mask(path=half, feather=0.5).resized((size, 2 * size))
        row = soft[size // 2]
        assert 0.45 < row[size] < 0.55
        np.testing.assert_array_less(row[:-1], row[1:] + 1e-4)
        assert row[size + size // 4] == pytest.approx(0.84, abs=0.03)  # one standard deviation of a normal
    hard = Mask(path=half).resized((400, 500))
    for feather in (0.1, 0.2, 0.5):  # the last two are blurred small
        np.testing.assert_allclose(
            Mask(path=half, feather=feather).resized((400, 500)),
            gaussian_filter(hard, feather * 200, mode="nearest"),
            atol=4e-3,
        )
    with pytest.raises(ImageError):
        Mask(path=half.with_name("none.png")).resized((10, 10))


def test_one_position_counts_as_it_is(tiny):
    picture = noise(96, 128)
    at = 0.3, 0.8
    objective = Objective(LAYER, lambda a: a[LAYER][..., 1], at=at)
    features = keras.Model(tiny.input, tiny.get_layer(LAYER).output)
    rows, columns = features(picture[None]).shape[1:3]
    y, x = int(at[0] * rows), int(at[1] * columns)
    score, expected = differentiated(tiny, LAYER, picture, lambda a: a[0, y, x, 1])
    found, gradient = whole(tiny, objective)(picture)
    assert found == pytest.approx(score, rel=1e-5)
    np.testing.assert_allclose(gradient, expected, atol=1e-5 * np.abs(expected).max())
    tiled = GradientStep(tiny, objective, input_range=(-1, 1), tile=64, halo=32)
    found, _ = tiled(picture)
    near = features(picture[None]).numpy()[0, y - 1 : y + 2, x - 1 : x + 2, 1]
    assert near.min() <= found <= near.max()
    for corner in ((0.0, 0.0), (1.0, 1.0)):
        found, _ = whole(tiny, Objective(LAYER, lambda a: a[LAYER][..., 1], at=corner))(picture)
        assert found == pytest.approx(features(picture[None]).numpy()[0, -int(corner[0]), -int(corner[1]), 1], rel=1e-4)
    with pytest.raises(ModelError, match="one position"):
        whole(tiny, Objective(LAYER, lambda a: ops.mean(a[LAYER], (1, 2, 3)), at=at))(picture)


def test_a_wrapped_step_is_one_of_the_rolled_picture(tiny):
    picture = noise(96, 128)
    wrapped = GradientStep(
        tiny, l2(layer=LAYER), transforms=[kerasdream.Transform(phase=40, wrap=True)], input_range=(-1, 1), seed=2
    )
    plan = Plan((picture.shape[:2],), (1,), wrapped.cutting, 2)
    rolls = {plan.roll(0, step) for step in range(50)}
    assert len(rolls) > 45
    assert max(max(map(abs, roll)) for roll in rolls) <= 40
    slope = wrapped.evaluate(picture, plan, Progress(step=7))
    roll = plan.roll(0, 7)
    score, expected = differentiated(
        tiny, LAYER, np.roll(picture, roll, (0, 1)), lambda a: 0.5 * tf.reduce_mean(tf.reduce_mean(a**2, -1))
    )
    expected = np.roll(expected, (-roll[0], -roll[1]), (0, 1))
    assert slope.score == pytest.approx(score, rel=1e-5)
    np.testing.assert_allclose(slope.gradient, expected, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize("end", ["softmax", "layer", "linear", "flatten"])
def test_the_logits_are_linear_whatever_the_model_ends_in(end):
    keras.utils.set_random_seed(1)
    picture = x = keras.Input((48, 48, 3))
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu")(x)
    x = keras.layers.Flatten()(x) if end == "flatten" else keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(10, name="classes", activation="softmax" if end in ("softmax", "flatten") else None)(x)
    if end == "layer":
        x = keras.layers.Softmax()(x)
    model = keras.Model(picture, x)
    logits = keras.Model(picture, keras.ops.matmul(model.get_layer("classes").input, model.get_layer("classes").kernel))
    look = Objective(LOGITS, lambda a: a[LOGITS][:, 4])
    step = GradientStep(model, look, input_range=(-1, 1), crops=Windows(48))
    shot = noise(48, 48)
    assert step(shot)[0] == pytest.approx(float(logits(shot[None])[0, 4]), rel=1e-4)
    assert model.get_layer("classes").activation.__name__ == ("softmax" if end in ("softmax", "flatten") else "linear")


def test_a_model_without_classes_has_no_logits(tiny):
    with pytest.raises(ModelError, match="are not classes; expected"):
        GradientStep(tiny, Objective(LOGITS, lambda a: a[LOGITS][:, 0]), input_range=(-1, 1))


def test_a_class_is_drawn_in_crops_from_the_run_file_on(lite0, coffee):
    objective = Objective(LOGITS, lambda a: a[LOGITS][:, 967])
    result = kerasdream.dream(
        coffee, model=lite0, objectives=objective, max_side=256, octaves={"count": 1, "steps": 3}, views="auto",
        crops={"spread": 0.2},
    )  # fmt: skip
    assert result.manifest["recipe"]["views"] == "auto"
    assert result.manifest["recipe"]["crops"] == {"size": "auto", "count": 1, "side": None, "spread": 0.2}
    assert result.scores[-1] > result.scores[0]
