"""The score inside the trace: sources, single positions, logits, seeds."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasdream
from kerasdream import Energy, GradientStep, Objective, ops
from kerasdream.components import LOGITS
from kerasdream.engine.score import step_seed
from kerasdream.errors import ConfigError, ModelError
from kerasdream.plan.crops import Windows

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


def test_source_is_seen_through_the_same_views(tiny):
    picture, source = noise(96, 128), noise(96, 128, 1)

    def product(activations, source_activations):
        return ops.mean(activations[LAYER] * source_activations[LAYER], axis=-1)

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


def test_energies_compare_with_the_source(tiny):
    picture, source = noise(96, 128), noise(96, 128, 1)
    near = Energy(lambda x, source: -0.5 * ops.mean((x - source) ** 2, -1), radius=0, reference="source")
    nothing = Objective(LAYER, lambda a: 0 * a[LAYER][..., 0])
    for options in ({"tile": 64, "halo": "exact"}, {"crops": Windows(48)}):
        step = GradientStep(tiny, nothing, [near], input_range=(-1, 1), **options)
        score, gradient = step(picture, source=source)
        assert score == pytest.approx(-0.5 * ((picture - source) ** 2).mean(), rel=1e-4)
        np.testing.assert_allclose(gradient, (source - picture) / picture.size, rtol=1e-3, atol=1e-9)


def test_single_position_is_not_averaged(tiny):
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


@pytest.mark.parametrize("end", ["softmax", "layer", "linear", "flatten"])
def test_logits_are_linear_whatever_the_model_ends_in(end):
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


def test_model_without_classes_has_no_logits(tiny):
    with pytest.raises(ModelError, match="are not classes; expected"):
        GradientStep(tiny, Objective(LOGITS, lambda a: a[LOGITS][:, 0]), input_range=(-1, 1))


@pytest.mark.parametrize(
    "draw",
    [
        lambda seed: keras.random.uniform((3,), seed=seed),
        lambda seed: keras.random.normal((3,), seed=seed),
        lambda seed: keras.random.truncated_normal((3,), seed=seed),
        lambda seed: keras.random.randint((3,), 0, 1000, seed=seed),
        lambda seed: keras.random.shuffle(tf.range(8), seed=seed),
        lambda seed: keras.random.dropout(tf.ones(16), 0.5, seed=seed),
    ],
    ids=["uniform", "normal", "truncated_normal", "randint", "shuffle", "dropout"],
)
def test_step_seeds_are_stateless_in_every_keras_random_function(draw):
    """Keras must accept the generator without a variable of its own, and ask it for its next seed."""
    traces = []

    @tf.function(autograph=False)
    def drawn(seed):
        traces.append(1)
        first = step_seed(seed, 0)
        return draw(first), draw(first), draw(step_seed(seed, 1))

    once, again, other = (drawn(tf.constant(seed)) for seed in ([1, 2, 0], [1, 2, 0], [3, 4, 0]))
    assert len(traces) == 1
    assert not drawn.get_concrete_function(tf.constant([1, 2, 0])).variables
    for first, second in zip(once, again, strict=True):
        np.testing.assert_array_equal(first, second)
    assert not np.array_equal(once[0], other[0])
    assert not np.array_equal(once[0], once[1])  # two draws of one transform
    assert not np.array_equal(once[0], once[2])  # two transforms


def test_step_seeds_are_those_of_a_stateless_generator():
    seed = tf.constant([5, 7, 0])
    generator = step_seed(seed, 2)
    for draws in (1, 2):
        expected = tf.random.stateless_uniform((4,), seed[:2] + tf.constant([2, draws]))
        np.testing.assert_array_equal(keras.random.uniform((4,), seed=generator), expected)
