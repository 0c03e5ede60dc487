"""GradientStep: scores, weights, random transforms, errors."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream import Energy, GradientStep, Objective, Transform, images, ops
from kerasdream.builtin.objectives.hold import hold
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.objectives.mean import mean
from kerasdream.dreaming.parts import Parts, extractor_for
from kerasdream.dreaming.step import NUDGE, as_network
from kerasdream.errors import ConfigError, ModelError, PluginError
from kerasdream.models.extractor import geometry_of
from kerasdream.plan.crops import Windows
from kerasdream.plan.cutting import cutting_for
from kerasdream.plan.plan import Plan
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress, Ramp


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


def test_scores_are_reported_for_each_part(tiny):
    """Also if parts have several terms, and for energies."""
    picture = np.random.default_rng(0).uniform(-1, 1, (64, 64, 3)).astype("float32")
    first, second = 2 * l2(layer="c3") - 3 * mean(layer="r1") + mean(layer="c1"), mean(layer="r2")
    quiet = Energy(lambda x: -0.5 * ops.mean(x**2, -1), radius=0)
    step = GradientStep(tiny, [first, second], [quiet], input_range=(-1, 1), halo=0)
    plan = Plan((picture.shape[:2],), (1,), step.cutting, 0)
    found = step.evaluate(picture, plan, Progress())
    expected = [GradientStep(tiny, one, input_range=(-1, 1), halo=0)(picture)[0] for one in (first, second)]
    assert list(found.scores) == ["objective c3 r1 c1", "objective r2", "energy"]
    assert list(found.scores.values()) == pytest.approx([*expected, -0.5 * (picture**2).mean()], rel=1e-4)
    assert found.score == pytest.approx(sum(found.scores.values()), rel=1e-5)


def test_refresh_follows_a_model_in_training(tiny):
    model = keras.models.clone_model(tiny)
    step = GradientStep(model, l2(layer="c3"), input_range=(-1, 1))
    picture = np.zeros((32, 32, 3), "float32") + 0.5
    before = step(picture)[0]
    model.set_weights(tiny.get_weights())
    assert step(picture)[0] == before
    step.refresh()
    assert step(picture)[0] == pytest.approx(GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1))(picture)[0])
    assert step.engine.traces == 1


def test_cutting_and_extractor_may_be_prepared(tiny):
    """As a run does, which plans before the step exists."""
    network, parts = as_network(tiny, (-1, 1)), Parts.from_specs([l2(layer="c3")], [], [Transform(phase=8)])
    extractor = extractor_for(network, parts)
    cutting = cutting_for(geometry_of(extractor), 100, 16, parts.border)
    step = GradientStep(network, l2(layer="c3"), transforms=[Transform(phase=8)], cutting=cutting, extractor=extractor)
    usual = GradientStep(tiny, l2(layer="c3"), transforms=[Transform(phase=8)], input_range=(-1, 1), tile=100, halo=16)
    picture = np.random.default_rng(0).uniform(-1, 1, (150, 130, 3)).astype("float32")
    assert step.engine.score.extractor is extractor
    assert step.cutting == usual.cutting == cutting
    np.testing.assert_array_equal(step(picture)[1], usual(picture)[1])


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


SIGN = np.array([1.0, -2.0, 0.5], "float32")


def tilted() -> Energy:
    """log p = the mean of SIGN · x: its gradient is SIGN, over the number of values."""
    return Energy(lambda x: ops.mean(x * SIGN, -1), radius=0)


def absolute(energy: Energy) -> PartSpec:
    return replace(PartSpec.of("priors", energy), values={"scale": "absolute"})


@pytest.mark.parametrize(("size", "tile"), [(64, 512), (96, 64)])
def test_weight_of_a_prior_is_in_tenths_of_the_objectives_gradient(tiny, size, tile):
    """Whatever the size, the tiling and the network; measured once, at the first picture of a shape."""
    picture = np.random.default_rng(0).uniform(-1, 1, (size, size, 3)).astype("float32")
    for factor in (1.0, 300.0):
        look, options = factor * l2(layer="c3"), {"input_range": (-1, 1), "tile": tile, "halo": 16}
        plain, step = GradientStep(tiny, look, **options), GradientStep(tiny, look, [tilted()], **options)
        score_alone, alone = plain(picture)
        unit = 0.1 * np.abs(alone).mean()
        score, gradient = step(picture)
        np.testing.assert_allclose(gradient - alone, unit * SIGN + 0 * alone, atol=0.01 * unit)
        expected = score_alone + unit * picture.size * (picture * SIGN).mean()
        assert score == pytest.approx(expected, rel=1e-3)
        _, later = step(0.1 * picture)
        _, later_alone = plain(0.1 * picture)
        np.testing.assert_allclose(later - later_alone, unit * SIGN + 0 * alone, atol=0.01 * unit)


def test_absolute_weight_of_a_prior_is_a_bare_factor(tiny):
    """And so is any weight where the objectives have no slope to measure."""
    picture = np.random.default_rng(0).uniform(-1, 1, (64, 64, 3)).astype("float32")
    bare = SIGN / picture.size + 0 * picture
    _, alone = GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1))(picture)
    _, gradient = GradientStep(tiny, l2(layer="c3"), [absolute(tilted())], input_range=(-1, 1))(picture)
    np.testing.assert_allclose(gradient - alone, bare, atol=1e-3 * np.abs(alone).max())
    _, gradient = GradientStep(tiny, 0 * l2(layer="c3"), [tilted()], input_range=(-1, 1))(picture)
    np.testing.assert_allclose(gradient, bare, rtol=1e-4)


def test_unit_with_crops_is_the_gradient_where_the_crops_are(tiny):
    picture = np.random.default_rng(0).uniform(-1, 1, (96, 128, 3)).astype("float32")
    step = GradientStep(tiny, l2(layer="c3"), [tilted()], input_range=(-1, 1), crops=Windows(48))
    plan, progress = Plan((picture.shape[:2],), (1,), step.cutting, 0, crops=step.crops), Progress()
    found = step.evaluate(picture, plan, progress, factors=step.parts.alone())
    assert not found.gradient[:8].any()
    assert step.units(picture, plan, progress)[0] == pytest.approx(
        0.1 * np.abs(found.gradient[found.window]).mean() * picture.size, rel=1e-5
    )


def test_relative_objective_pulls_as_hard_as_the_others_whatever_the_tiles(tiny):
    """Near the source, where it has no slope itself; the weight is a factor, and a term of a sum may be relative."""
    picture = np.random.default_rng(0).uniform(-1, 1, (96, 128, 3)).astype("float32")
    photo, near = images.Scaled(picture), picture + np.float32(NUDGE) * np.sign(picture[::-1])
    units = []
    for parts, number in [
        ([2 * l2(layer="c3"), hold(layer="c1", amount=3.0)], 1),
        (hold(layer="c1") + l2(layer="c3"), 0),
    ]:
        for tile in (64, 512):
            step = GradientStep(tiny, parts, [tilted()], input_range=(-1, 1), tile=tile, halo="exact")
            plan = Plan((picture.shape[:2],), (1,), step.cutting, 0)
            units.append(step.units(picture, plan, Progress(), photo))
        factors = np.array(step.parts.factors(units[-1]))
        only = [factors * (np.arange(3) == one) for one in (number, 1 - number)]
        pulls = [step.evaluate(near, plan, Progress(), photo, factors=one).magnitude for one in only]
        assert pulls[0] == pytest.approx((3 if number else 1) * pulls[1], rel=0.1)
    np.testing.assert_allclose(units[0], units[1], rtol=1e-5)
    np.testing.assert_allclose(units[2], units[3], rtol=1e-5)
    np.testing.assert_allclose(units[0], 2 * np.array(units[2]), rtol=1e-4)


def test_weight_of_a_relative_objective_may_begin_at_zero(tiny):
    picture = np.random.default_rng(0).uniform(-1, 1, (64, 64, 3)).astype("float32")
    photo, found = images.Scaled(picture), []
    for weight in (1.0, Ramp[float](**{"from": 0.0, "to": 2.0}), 0.0):
        spec = PartSpec("objectives", "hold", hold, "kerasdream", {"layer": "c1", "weight": weight}, {}, ())
        ordinary = PartSpec.of("objectives", l2(layer="c3"))
        step = GradientStep(tiny, [ordinary, spec], input_range=(-1, 1), halo="exact")
        plan = Plan((picture.shape[:2],), (3,), step.cutting, 0)
        found.append(step.units(picture, plan, Progress(steps=3), photo)[1])
    assert found[1] == pytest.approx(found[0], rel=0.05)
    assert found[2] == 0
