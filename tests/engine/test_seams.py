"""The seam correction: it removes the effect of cuts and nothing else."""

import itertools

import numpy as np

from kerasdream.engine.seams import seam_correction
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
