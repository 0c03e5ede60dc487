"""Every built-in part: its maths against independent NumPy, and that it does what it is for."""

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream import GradientStep, Objective
from kerasdream.builtin.ascent.normalize import normalize
from kerasdream.builtin.ascent.rate import rate
from kerasdream.builtin.objectives.channel import channel
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.objectives.mean import mean
from kerasdream.builtin.priors.gaussian_blur import gaussian_blur
from kerasdream.builtin.priors.total_variation import total_variation
from kerasdream.errors import ModelError

OBJECTIVES = {
    "l2": (l2(layer="block11_expand"), lambda a: 0.5 * (a**2).mean()),
    "mean": (mean(layer="block11_expand"), lambda a: a.mean()),
    "channel": (channel(layer="block11_expand", channel=7), lambda a: a[..., 7].mean()),
}


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_objective_is_what_it_says_and_ten_steps_raise_it(name, lite0, chelsea):
    objective, expected = OBJECTIVES[name]
    picture = chelsea[20:276, 40:296].copy()
    step = GradientStep(lite0, objective, tile=256, halo=0)
    score, _ = step(picture)
    features = kerasdream.feature_extractor(lite0.model, ["block11_expand"])
    activations = features(lite0.preprocess(picture[None]))["block11_expand"].numpy()
    assert score == pytest.approx(expected(activations), rel=1e-4)
    for _ in range(10):
        _, gradient = step(picture)
        picture = np.clip(picture + 0.01 * gradient / np.abs(gradient).mean(), -1, 1)
    assert step(picture)[0] > 1.5 * score


def test_the_algebra_leaves_its_operands_alone():
    a, b = Objective("x", lambda activations: 1.0), Objective(("y", "x"), lambda activations: 2.0)
    total = 2 * a + 3 * b - a
    assert [term.weight for term in total.terms] == [2.0, 3.0, -1.0]
    assert total.layers == ("x", "y")
    assert [term.weight for term in (-(total * 2)).terms] == [-4.0, -6.0, 2.0]
    assert a.terms[0].weight == b.terms[0].weight == 1.0
    with pytest.raises(TypeError):
        a * b
    with pytest.raises(TypeError):
        a + 1


def test_a_channel_the_layer_does_not_have_is_refused(tiny):
    with pytest.raises(ModelError, match=r"'c3' has 4 channels; expected 0 to 3, not 4"):
        GradientStep(tiny, channel(layer="c3", channel=4), input_range=(-1, 1))(np.zeros((32, 32, 3), "float32"))


def test_total_variation_is_a_log_probability():
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 20, 30, 3)).astype("float32")
    density = np.asarray(total_variation().log_p(picture))
    assert density.shape == (1, 20, 30)
    y, x = 7, 11
    here, right, below = picture[0, y, x], picture[0, y, x + 1], picture[0, y + 1, x]
    assert density[0, y, x] == pytest.approx(-(np.abs(right - here) + np.abs(below - here)).mean(), rel=1e-5)
    assert density.max() <= 0
    assert np.asarray(total_variation().log_p(np.full_like(picture, 0.3))).max() == 0


def test_total_variation_smooths_what_is_dreamed(lite0, chelsea):
    def roughness(weight):
        priors = [{"total_variation": {"weight": weight}}] if weight else []
        result = kerasdream.dream(
            chelsea, model=lite0, priors=priors, max_side=192, octaves={"count": 1, "steps": 10}, seed=1
        )
        return np.abs(np.diff(result.image, axis=0)).mean() + np.abs(np.diff(result.image, axis=1)).mean()

    assert roughness(20.0) < 0.8 * roughness(0)


def test_gaussian_blur_is_a_normalised_gaussian_that_mirrors_the_edges():
    picture = np.random.default_rng(0).uniform(-1, 1, (40, 50, 3)).astype("float32")
    sigma = 1.3
    offsets = np.arange(-8, 9)
    kernel = np.exp(-(offsets**2) / (2 * sigma**2))
    kernel /= kernel.sum()
    padded = np.pad(picture, ((8, 8), (8, 8), (0, 0)), mode="symmetric")
    rows = sum(k * padded[i : i + 40] for i, k in enumerate(kernel))
    expected = sum(k * rows[:, i : i + 50] for i, k in enumerate(kernel))
    np.testing.assert_allclose(gaussian_blur(sigma=sigma).apply(picture), expected, atol=2e-3)
    np.testing.assert_array_equal(gaussian_blur(sigma=0.0).apply(picture), picture)


@pytest.mark.parametrize(
    ("by", "measure"),
    [
        ("mean_abs", lambda g: np.abs(g).mean()),
        ("std", np.std),
        ("rms", lambda g: np.sqrt((g**2).mean())),
        ("max", lambda g: np.abs(g).max()),
    ],
)
def test_normalize(by, measure):
    gradient = np.random.default_rng(0).normal(1e-8, 1e-7, (30, 40, 3)).astype("float32")
    scaled, memory = normalize(by=by).update(gradient, None, gradient)
    np.testing.assert_allclose(scaled, gradient / measure(gradient), rtol=1e-5)
    assert memory is None
    assert not np.isnan(normalize(by=by).update(0 * gradient, None, gradient)[0]).any()


def test_rate():
    np.testing.assert_allclose(rate(value=0.5).update(np.ones(3, "float32"), None, None)[0], 0.5)


def test_every_built_in_part_has_help_for_every_parameter():
    import inspect

    from kerasdream.plugins.manager import discover
    from kerasdream.plugins.signature import model_of

    for registration in discover().registry:
        assert registration.summary.endswith("."), registration
        for name, field in model_of(registration).model_fields.items():
            assert field.description, f"{registration.kind}/{registration.name}: {name}"
        assert not inspect.signature(registration.factory).parameters or "Args:" in registration.help, registration


def test_parts_run_on_keras_ops(tiny):
    """The objectives are plain keras.ops: they can be called outside the engine, on any tensors."""
    activations = {"layer": keras.ops.ones((2, 4, 5, 8))}
    for objective in (l2(layer="layer"), mean(layer="layer"), channel(layer="layer", channel=0)):
        assert objective.terms[0].fn(activations).shape == (2, 4, 5)
