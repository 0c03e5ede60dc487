"""The rules of cutting, from a network's geometry and a run's settings."""

from __future__ import annotations

import pytest

from kerasdream.components import Energy, Transform
from kerasdream.errors import ConfigError
from kerasdream.plan.cutting import HALO, Border, Geometry, cutting_for
from kerasdream.plan.tiling import Cutting, Lattice

GEOMETRY = Geometry(Lattice(16, 11, 59), 543)
BORDER = Border(margin=4, radius=7, jitter=32, wrap=False)


def test_border_of_several_parts():
    transforms = [Transform(phase=4, wrap=True), Transform(lambda x, seed: x, margin=2, phase=3)]
    energies = (Energy(lambda x: x, radius=radius) for radius in (3, 9, 1))
    assert Border.needed_by(transforms, energies) == Border(margin=2, radius=9, jitter=7, wrap=True)
    assert Border.needed_by([], []) == Border()


@pytest.mark.parametrize(
    ("halo", "inner", "outer"),
    [("auto", HALO + 4, 4), (0, 7, 4), (20, 24, 24)],
    ids=["auto", "none_but_the_radius", "own"],
)
def test_context_is_halo_plus_margin_and_at_least_the_radius(halo, inner, outer):
    assert cutting_for(GEOMETRY, 500, halo, BORDER) == Cutting(GEOMETRY.lattice, 500, inner, outer, 32, 543)


def test_exact_halo_is_the_receptive_field():
    made = cutting_for(GEOMETRY, 500, "exact", Border(radius=7, jitter=32))
    assert made == Cutting(GEOMETRY.lattice, 500, halo=543, border=0, field=543, exact=True)
    assert made.whole


def test_impossible_exact_halo_is_an_error():
    with pytest.raises(ConfigError, match="halo: exact is impossible behind global pooling or attention"):
        cutting_for(Geometry(Lattice(), None), 500, "exact", Border())
    with pytest.raises(ConfigError, match="halo: exact is impossible with transforms that change the border"):
        cutting_for(GEOMETRY, 500, "exact", BORDER)
