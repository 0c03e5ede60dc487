"""The seam correction: it removes the effect of cuts and nothing else."""

import itertools
from random import Random

import keras
import numpy as np

from kerasdream import GradientStep, Objective, Transform, ops
from kerasdream.engine.seams import seam_correction
from kerasdream.images import resize
from kerasdream.plan.tiling import Cutting, Grid, Lattice, Span


def cut_at(length, *cuts):
    edges = [0, *cuts, length]
    return [Span(a, b, a, b) for a, b in itertools.pairwise(edges)]


def test_profile_along_the_cuts_is_removed_and_nothing_else():
    random = np.random.default_rng(0)
    grid = Grid(cut_at(900, 310, 620), cut_at(1000, 480))
    true = random.normal(size=(900, 1000, 3)).astype("float32")
    rows = np.interp(np.abs(np.arange(900) + 0.5 - 310).clip(max=200), [0, 50], [0.4, 1.0])
    rows *= np.interp(np.abs(np.arange(900) + 0.5 - 620).clip(max=200), [0, 50], [0.4, 1.0])
    columns = np.interp(np.abs(np.arange(1000) + 0.5 - 480).clip(max=200), [0, 50], [0.4, 1.0])
    gradient = true * (rows[:, None, None] * columns[:, None]).astype("float32")
    size = np.abs(gradient)
    down, across = seam_correction(grid, size.sum((1, 2)), size.sum((0, 2)))
    gradient *= down[:, None, None] * across[:, None]
    np.testing.assert_array_equal(gradient[:220, :390], true[:220, :390])  # beyond the reach
    assert np.abs(gradient / true - 1).mean() < 0.03
    assert np.abs(gradient[309:311] / true[309:311] - 1).mean() < 0.1


def test_nothing_to_correct_changes_nothing():
    for length, *cuts in ((300,), (900, 400)):
        grid = Grid(cut_at(length, *cuts), cut_at(length, *cuts))
        profile = np.ones(length) if not cuts else np.zeros(length)
        assert all((factors == 1).all() for factors in seam_correction(grid, profile, profile))


def test_only_a_halo_as_large_as_the_field_needs_no_correction():
    assert not Cutting(Lattice(), 300, 89, 90, 0, field=90).whole
    assert Cutting(Lattice(), 300, 90, 90, 0, field=90).whole
    assert not Cutting(Lattice(), 300, 900, 900, 0, field=None).whole
    assert Cutting(Lattice(), 300, exact=True, field=90).whole


def relative_strength(step, picture, draws, far):
    """Mean |gradient| by distance to the nearest vertical cut, relative to that beyond ``far``; away from the edges."""
    random = np.random.default_rng(0)
    layout = step.cutting.layout(picture.shape[:2])
    totals, counts = np.zeros(far + 1), np.zeros(far + 1)
    inner = np.s_[40:-40, 40:-40]
    for draw in range(draws):
        moved = np.roll(picture, tuple(random.integers(0, side) for side in picture.shape[:2]), (0, 1))
        size = np.abs(step(moved, step=draw)[1]).mean(-1)[inner]
        cuts = [span.start for span in layout.grid(Random(f"{step.seed} 0 {draw}")).columns[1:]]
        distance = np.abs(np.arange(picture.shape[1])[:, None] + 0.5 - cuts).min(1).astype(int).clip(max=far)
        distance = np.broadcast_to(distance, picture.shape[:2])[inner]
        totals += np.bincount(distance.ravel(), size.ravel(), far + 1)
        counts += np.bincount(distance.ravel(), minlength=far + 1)
    return totals[:far] / counts[:far] * counts[far] / totals[far]


def test_gradient_near_cuts_is_as_strong_as_elsewhere(coffee, monkeypatch):
    """With VALID padding, where it would be a third; ``make proof`` shows it more closely, for full networks."""
    keras.utils.set_random_seed(1)
    x = source = keras.Input((None, None, 3))
    for number in range(3):
        x = keras.layers.Conv2D(8, 3, strides=2)(x)
        x = keras.layers.Conv2D(8, 3, name=f"conv{number}")(x)
    objective = Objective("conv2", lambda a: 0.5 * ops.mean(a["conv2"] ** 2, axis=-1))
    step = GradientStep(
        keras.Model(source, x), objective, transforms=[Transform(phase=32)], input_range=(-1, 1), tile=200
    )
    picture = resize(coffee, (300, 500)).clip(-1, 1)
    assert len(step.cutting.layout((300, 500)).rows.sizes) == 1
    assert np.abs(relative_strength(step, picture, 60, 30) - 1).max() < 0.12
    monkeypatch.setattr("kerasdream.engine.tensorflow.seam_correction", lambda *profile: None)
    assert relative_strength(step, picture, 10, 30)[0] < 0.5
