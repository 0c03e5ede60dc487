"""GradientStep: scores, weights, random transforms, errors."""

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream import Energy, GradientStep, Objective, Transform
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.objectives.mean import mean
from kerasdream.errors import ConfigError, ModelError, PluginError


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


def test_transforms_are_random_per_step_and_shared_by_tiles(tiny):
    def apply(views, seed):
        return views * keras.random.uniform((), 0.5, 1.5, seed=seed)

    picture = np.random.default_rng(0).uniform(-1, 1, (120, 120, 3)).astype("float32")
    step = GradientStep(tiny, mean(layer="r1"), transforms=[Transform(apply)], input_range=(-1, 1), tile=64, seed=3)
    assert step(picture, step=1)[0] == step(picture, step=1)[0]
    assert step(picture, step=1)[0] != step(picture, step=2)[0]
    assert step.engine.traces == 1


def test_errors_say_what_was_expected(tiny):
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


def test_exact_halo_is_refused_behind_attention():
    with pytest.raises(ConfigError, match="behind global pooling or attention"):
        GradientStep(attention(), l2(layer="gated"), input_range=(-1, 1), halo="exact")
