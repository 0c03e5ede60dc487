"""Plans: octaves, views and random numbers."""

from __future__ import annotations

import pytest

from kerasdream.errors import DreamError, ImageError
from kerasdream.plan.crops import Windows
from kerasdream.plan.panels import Panels
from kerasdream.plan.plan import SMALLEST_VIEW, make_plan, step_random, transform_seed
from kerasdream.plan.tiling import Cutting, Lattice


def planned(shape, sizes, steps, cutting=None, **options):
    return make_plan(shape, sizes=sizes, steps=steps, cutting=cutting or Cutting(Lattice(), 64), seed=0, **options)


def test_small_octaves_are_dropped_with_their_steps():
    plan = planned((90, 100), [(30, 33), (60, 67), (90, 100)], [5, 6, 7])
    assert (plan.sizes, plan.octave_steps) == (((60, 67), (90, 100)), (6, 7))
    assert plan.steps == 13
    assert plan.pixels == 6 * 60 * 67 + 7 * 90 * 100
    assert [octave.steps for octave in plan.octaves] == [6, 7]
    assert plan.notes == ("1 of 3 octaves dropped: their shorter side is under 32 pixels",)


def test_too_small_pictures_are_an_error():
    with pytest.raises(ImageError, match="the largest octave is 100×20 pixels; expected at least 32"):
        planned((90, 100), [(20, 100), (16, 16)], [1, 1])
    large = Cutting(Lattice(16, 11, 59), 200)
    with pytest.raises(ImageError, match="the picture is 50×50 pixels; expected at least 59"):
        planned((50, 50), [(50, 50)], [1], large)
    assert planned((50, 50), [(50, 50)], [1], large, crops=Windows(224)).sizes == ((50, 50),)


def test_sizes_are_those_of_the_sheet():
    plan = planned((40, 50), [(40, 50)], [1], panels=Panels(2, 3))
    assert plan.sizes == ((80, 150),)
    assert plan.octaves[0].layout == planned((40, 50), [(40, 50)], [1]).octaves[0].layout  # views of at least 64²


def test_views_shrink_until_they_are_too_small():
    plan, sizes = planned((90, 100), [(90, 100)], [1], Cutting(Lattice(), 200)), []
    while plan.cutting.size * 7 // 10 >= SMALLEST_VIEW:
        plan = plan.smaller()
        sizes.append(plan.cutting.size)
    assert sizes == [140, 98, 68]
    with pytest.raises(DreamError, match="memory ran out even with the smallest tiles"):
        plan.smaller()


def test_random_numbers_depend_on_seed_octave_and_step():
    """The values are pinned: finished pictures can be made again only if they stay the same."""
    assert len({transform_seed(*place) for place in ((0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1))}) == 4
    assert len({step_random(0, 0, 0, use).random() for use in ("", "roll", "crops")}) == 3
    assert transform_seed(7, 2, 3) == (1018748826, 2142741385)
    assert step_random(7, 2, 3).randrange(10**6) == 218884
