"""The tiling: every pixel in one core, no pixel lost, cuts everywhere."""

import itertools
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasdream.tiling import Lattice, batches, cut, mirrored, spans, tiles

lattices = st.integers(0, 5).flatmap(
    lambda power: st.builds(Lattice, st.just(2**power), st.integers(0, 2**power - 1), st.integers(1, 75))
)


@settings(deadline=None, max_examples=300)
@given(
    length=st.integers(1, 3000),
    size=st.integers(64, 700),
    halo=st.integers(0, 100),
    lattice=lattices,
    phase=st.integers(0, 64),
    draw=st.floats(0, 1, exclude_max=True),
)
def test_cores_partition_the_axis_and_views_hold_core_and_halo(length, size, halo, lattice, phase, draw):
    cut_into = spans(length, size, halo, lattice, phase, draw)
    assert cut_into[0].start == 0
    assert cut_into[-1].stop == length
    for before, after in itertools.pairwise(cut_into):
        assert before.stop == after.start
    for span in cut_into:
        assert span.start < span.stop
        assert span.view_start <= span.start - halo
        assert span.view_stop >= span.stop + halo
        view = span.view_stop - span.view_start
        assert view >= lattice.smallest
        assert view % lattice.stride == lattice.residue


@settings(deadline=None, max_examples=50)
@given(
    shape=st.tuples(st.integers(40, 900), st.integers(40, 900)),
    seed=st.integers(0, 1000),
    jitter=st.integers(0, 40),
)
def test_every_pixel_lies_in_exactly_one_core(shape, seed, jitter):
    covered = np.zeros(shape, int)
    for rows, columns in tiles(shape, 256, 8, Lattice(16, 11, 75), jitter, Random(seed)):
        covered[rows.start : rows.stop, columns.start : columns.stop] += 1
    assert (covered == 1).all()


def test_inner_tiles_have_one_shape_and_outer_ones_half_to_one_and_a_half():
    grid = tiles((2048, 2048), 256, 0, Lattice(16), 0, Random(3))
    sides = {side for tile in grid for side in tile.shape}
    assert sum(tile.shape == (256, 256) for tile in grid) >= 36
    assert min(sides) >= 128
    assert max(sides) <= 400


def test_cuts_come_to_lie_everywhere():
    """No place between the outermost half tiles is cut much more often than another."""
    random = np.random.default_rng(0)
    counts = np.zeros(1024)
    for _ in range(4000):
        for tile in spans(1024, 256, 0, Lattice(), int(random.integers(0, 33)), random.random())[1:]:
            counts[tile.start] += 1
    inner = counts[160:864].reshape(-1, 32).sum(1)
    assert inner.min() > 0.6 * inner.mean()
    assert inner.max() < 1.4 * inner.mean()


def test_mirrored_continues_a_picture_without_repeating_its_edge():
    assert mirrored(-3, 7, 4).tolist() == [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]
    assert mirrored(-2, 3, 1).tolist() == [0, 0, 0, 0, 0]
    picture = np.random.default_rng(0).normal(size=(40, 50, 3))
    (tile,) = tiles((40, 50), 256, 9, Lattice(), 0, Random(0))
    np.testing.assert_array_equal(cut(picture, tile), np.pad(picture, ((9, 9), (9, 9), (0, 0)), mode="reflect"))


def test_batches_hold_equal_shapes_within_the_budget():
    grid = tiles((1500, 1100), 256, 16, Lattice(32), 32, Random(1))
    made = list(batches(grid, 4 * 256 * 256))
    assert sorted(tile for batch in made for tile in batch) == sorted(grid)
    for batch in made:
        assert len({tile.shape for tile in batch}) == 1
        height, width = batch[0].shape
        assert len(batch) == 1 or len(batch) * height * width <= 4 * 256 * 256
