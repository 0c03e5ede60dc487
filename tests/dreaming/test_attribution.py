"""Attribution: the objectives' own pull, whatever the tiles, added up over octaves; asking changes nothing."""

import numpy as np
import pytest

import kerasdream
from kerasdream import GradientStep, Objective, ops
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.priors.total_variation import total_variation
from kerasdream.dreaming.attribution import resized
from kerasdream.images import resize
from kerasdream.plan.crops import Windows
from kerasdream.plan.panels import Panels
from kerasdream.plan.plan import Plan
from kerasdream.schedules import Progress


@pytest.fixture(scope="module")
def picture(chelsea):
    return chelsea[40:190, 100:313]


def attributed(step, picture):
    """One evaluation of a step, by its own cutting."""
    plan = Plan((picture.shape[:2],), (1,), step.cutting, 3, crops=step.crops)
    return step.evaluate(picture, plan, Progress(), factors=step.parts.factors((5.0,)))


@pytest.mark.parametrize("priors", [[], [total_variation()]])
def test_it_is_the_objectives_gradient_over_the_colours_whatever_the_tiles(tiny, picture, priors):
    options = {"input_range": (-1, 1), "halo": "exact", "attributed": True}
    tiled = attributed(GradientStep(tiny, l2(layer="c3"), priors, tile=96, **options), picture)
    whole = attributed(GradientStep(tiny, l2(layer="c3"), priors, tile=512, **options), picture)
    bare = attributed(GradientStep(tiny, l2(layer="c3"), tile=512, input_range=(-1, 1), halo="exact"), picture)
    expected = abs(bare.gradient).sum(-1) * picture.shape[0] * picture.shape[1]
    assert whole.attribution.dtype == np.float32
    np.testing.assert_allclose(tiled.attribution, whole.attribution, rtol=0, atol=1e-5 * whole.attribution.max())
    np.testing.assert_allclose(whole.attribution, expected, rtol=0, atol=1e-5 * expected.max())
    assert bare.attribution is None
    assert np.allclose(bare.gradient, whole.gradient, rtol=0, atol=1e-9) == (not priors)


@pytest.mark.parametrize("priors", [[], [total_variation()]])
def test_crops_add_up_before_the_colours_do(tiny, picture, priors):
    """Crops that overlap, in several batches: the pull is that of the sum of their gradients."""
    options = {"crops": Windows(96, 3, 0.3), "batch": 1, "input_range": (-1, 1)}
    found = attributed(GradientStep(tiny, l2(layer="c3"), priors, attributed=True, **options), picture)
    bare = attributed(GradientStep(tiny, l2(layer="c3"), **options), picture)
    expected = abs(np.asarray(bare.gradient)).sum(-1) * picture.shape[0] * picture.shape[1]
    np.testing.assert_allclose(found.attribution, expected, rtol=0, atol=1e-5 * expected.max())


def test_octaves_and_steps_are_added_up_and_the_picture_stays_the_same(tiny, picture, monkeypatch):
    options = {"objectives": {"l2": "c3"}, "octaves": {"count": 2, "scale": 1.5, "steps": 2}, "model": tiny}
    options |= {"input_range": (-1, 1), "max_side": None}
    found, evaluate = [], GradientStep.evaluate

    def watched(step, *arguments, factors):
        seen = evaluate(step, *arguments, factors=factors)
        found.extend([seen.attribution] if factors != step.parts.alone() else [])
        return seen

    bare = kerasdream.dream(picture, **options)
    monkeypatch.setattr(GradientStep, "evaluate", watched)
    result = kerasdream.dream(picture, attribution=True, **options)
    assert bare.attribution is None
    assert bare.image.tobytes() == result.image.tobytes()
    assert [one.shape for one in found] == [(100, 142)] * 2 + [(150, 213)] * 2
    expected = resize(found[0] + found[1], (150, 213)).clip(0) + found[2] + found[3]
    np.testing.assert_allclose(result.attribution, expected, rtol=1e-5)
    means = [one.mean() for one in found]
    assert max(means) < 4 * min(means)  # no octave counts for nothing


@pytest.mark.parametrize("options", [{"parametrization": "fourier"}, {"panels": 2}, {"views": "crops"}])
def test_any_dream_has_one(tiny, picture, options):
    result = kerasdream.dream(
        picture[:96, :96], model=tiny, objectives={"l2": "c3"}, input_range=(-1, 1), attribution=True, priors=[],
        octaves={"count": 2, "steps": 2}, **({"crops": {"size": 64}} if "views" in options else {}), **options,
    )  # fmt: skip
    assert result.attribution.shape == result.image.shape[:2]
    assert result.attribution.max() > 0
    assert result.attribution.min() >= 0


def test_panels_are_resized_by_themselves():
    sheet = np.zeros((20, 40), "float32")
    sheet[:, 20:] = 1
    larger = resized(sheet, (30, 60), Panels(1, 2))
    assert set(np.unique(larger[:, :30])) == {0}
    np.testing.assert_allclose(larger[:, 30:], 1, atol=1e-6)
    assert resized(None, (30, 60), Panels()) is None


def test_a_mask_limits_it(tiny, picture, tmp_path):
    """Where no objective counts, nothing is attributed."""
    drawn = np.full((150, 213, 3), -1, "float32")
    drawn[:, 120:] = 1
    kerasdream.images.save(tmp_path / "mask.png", drawn, format="png")
    objective = {"l2": {"layer": "c3", "mask": str(tmp_path / "mask.png")}}
    result = kerasdream.dream(
        picture, model=tiny, objectives=objective, input_range=(-1, 1), attribution=True,
        octaves={"count": 1, "steps": 2},
    )  # fmt: skip
    assert result.attribution[:, :100].max() == 0
    assert result.attribution[:, 130:].mean() > 0


def test_infinite_objectives_are_reported_as_ever(tiny, picture):
    infinite = Objective("c3", lambda activations: ops.log(0.0 * activations["c3"][..., 0]))
    with pytest.raises(kerasdream.DreamError, match="not finite at octave 1"):
        kerasdream.dream(picture, model=tiny, objectives=infinite, input_range=(-1, 1), attribution=True)
