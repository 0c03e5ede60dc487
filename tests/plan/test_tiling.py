"""The tiling: every pixel in one core, no pixel lost, few shapes, cuts that wander, little computed twice."""

import itertools
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasdream.plan.cutting import HALO
from kerasdream.plan.tiling import (
    BATCH_PIXELS,
    WANDER,
    Cutting,
    ExactAxis,
    Lattice,
    axis,
    batches,
    mirrored,
)

INCEPTION = Lattice(16, 11, 59)
"""InceptionV3 up to mixed5."""

LITE0 = Lattice(16, 0, 17)
"""The default network up to block11_expand."""

lattices = st.integers(0, 5).flatmap(
    lambda power: st.builds(Lattice, st.just(2**power), st.integers(0, 2**power - 1), st.integers(1, 75))
)


@settings(deadline=None, max_examples=500)
@given(
    length=st.integers(1, 3000),
    count=st.integers(1, 9),
    halo=st.integers(0, 100),
    border=st.integers(0, 60),
    lattice=lattices,
    jitter=st.integers(0, 64),
    seed=st.integers(0, 1000),
)
def test_cores_partition_the_axis_and_views_contain_core_and_halo(length, count, halo, border, lattice, jitter, seed):
    made = axis(length, count, halo, border, lattice, jitter)
    if made is None:
        assert count > 1
        return
    spans = made.spans(Random(seed))
    assert len(spans) == count
    assert spans[0].start == 0
    assert spans[-1].stop == length
    assert spans[0].view_start <= -border
    assert spans[-1].view_stop >= length + border
    for before, after in itertools.pairwise(spans):
        assert before.stop == after.start
        assert before.view_stop >= before.stop + halo
        assert after.view_start <= after.start - halo
    sizes = [span.view_stop - span.view_start for span in spans]
    assert sorted(sizes) == sorted(made.sizes)
    assert len(set(sizes)) <= 2
    for span, size in zip(spans, sizes, strict=True):
        assert span.start < span.stop
        assert size >= lattice.smallest
        assert size % lattice.stride == lattice.residue


@settings(deadline=None, max_examples=60)
@given(
    shape=st.tuples(st.integers(40, 900), st.integers(40, 900)),
    size=st.integers(64, 500),
    halo=st.integers(0, 40),
    seed=st.integers(0, 1000),
    jitter=st.integers(0, 40),
    exact=st.booleans(),
)
def test_every_pixel_is_in_exactly_one_core(shape, size, halo, seed, jitter, exact):
    cutting = Cutting(Lattice(16, 11, 75), size, halo, 0, jitter, field=90, exact=exact)
    covered = np.zeros(shape, int)
    for rows, columns in cutting.layout(shape).grid(Random(seed)).tiles:
        covered[rows.start : rows.stop, columns.start : columns.stop] += 1
    assert (covered == 1).all()


@pytest.mark.parametrize("lattice", [INCEPTION, LITE0], ids=["inception_v3", "efficientnet_lite0"])
@pytest.mark.parametrize("size", [700, 774, 836])
def test_little_is_computed_twice(lattice, size):
    """At most 1.15 of the picture's area at 512², 1.10 from 1024² on, the network's dead border included."""
    cutting = Cutting(lattice, size, HALO, 0, 32, 543)
    for side in (512, *range(1024, 8193, 64)):
        for shape in ((side, side), (side, side * 3 // 4) if side > 1364 else (side, side)):
            layout = cutting.layout(shape)
            assert layout.area <= (1.15 if side == 512 else 1.10) * shape[0] * shape[1], shape
            assert layout.largest <= size**2
            area = sum(tile.shape[0] * tile.shape[1] for tile in layout.grid(Random(side)).tiles)
            assert area == layout.area


def test_octave_needs_at_most_four_shapes_of_views():
    layout = Cutting(INCEPTION, 500, HALO, 0, 32, 543).layout((3000, 2000))
    shapes = {tile.shape for step in range(50) for tile in layout.grid(Random(step)).tiles}
    assert 1 < len(shapes) <= 4


def test_cuts_wander():
    """No pixel of a picture that is cut once lies at the cut in more than a few per cent of the steps."""
    layout = Cutting(LITE0, 774, HALO, 0, 32, 339).layout((1024, 1024))
    counts = np.zeros(1024)
    for step in range(2000):
        for span in layout.grid(Random(step)).columns[1:]:
            counts[span.start] += 1
    assert counts.max() <= 0.12 * 2000
    many = Cutting(LITE0, 774, HALO, 0, 32, 339).layout((4096, 4096))
    counts = np.zeros(4096)
    for step in range(2000):
        for span in many.grid(Random(step)).columns[1:]:
            counts[span.start] += 1
    inner = counts[300:3800].reshape(-1, 250).sum(1)  # no stretch without a cut
    assert inner.min() > 0.3 * inner.mean()


def test_cuts_fall_on_every_phase_of_the_view_before():
    layout = Cutting(LITE0, 774, HALO, 0, 0, 339).layout((1024, 1024))
    phases = {span.start - span.view_start for step in range(200) for span in layout.grid(Random(step)).columns[1:]}
    assert phases == set(range(HALO, HALO + 2 * WANDER))


def test_exact_views_contain_the_receptive_field_and_lose_no_pixel():
    lattice, field = Lattice(8, 3, 30), 50
    for seed in range(40):
        made = ExactAxis(400 + seed, 96, field, lattice)
        padded = lattice.up(400 + seed)
        for span in made.spans(Random(seed)):
            assert span.view_start % 8 == 0
            assert (span.view_stop - span.view_start) % 8 == 3
            assert span.view_start == 0 or span.view_start <= span.start - field
            assert span.view_stop == padded or span.view_stop >= span.stop + field
            assert 0 <= span.view_start < span.view_stop <= padded


def test_mirrored_picture_does_not_repeat_its_edge():
    assert mirrored(-3, 7, 4).tolist() == [3, 2, 1, 0, 1, 2, 3, 2, 1, 0]
    assert mirrored(-2, 3, 1).tolist() == [0, 0, 0, 0, 0]


def test_batches_have_equal_shapes_and_fit_the_budget():
    tiles = Cutting(Lattice(32), 256, 16, 0, 32).layout((1500, 1100)).grid(Random(1)).tiles
    made = list(batches(tiles))
    assert sorted(tile for batch in made for tile in batch) == sorted(tiles)
    for batch in made:
        assert len({tile.shape for tile in batch}) == 1
        height, width = batch[0].shape
        assert len(batch) == 1 or len(batch) * height * width <= BATCH_PIXELS
    assert max(len(batch) for batch in batches(tiles, 3)) == 3
