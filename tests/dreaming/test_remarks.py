"""Remarks on dreams that go wrong: each names the figure and the key; a dream that goes well has none."""

import numpy as np
import pytest

import kerasdream
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.priors.total_variation import total_variation
from kerasdream.dreaming.remarks import of_priors
from kerasdream.schedules import Progress

COMMON = {
    "objectives": {"l2": "c3"},
    "octaves": {"count": 2, "steps": 10},
    "input_range": (-1, 1),
    "max_side": None,
    "transforms": [],
}


def notes_on(tiny, photo, **options):
    return kerasdream.dream(photo[:96, :128], model=tiny, **{**COMMON, **options}).notes


def test_dream_that_goes_well_has_no_remarks(tiny, chelsea):
    assert notes_on(tiny, chelsea) == ()


def test_prior_that_outweighs_is_named_with_its_weight(tiny, chelsea):
    priors = [{"chroma": {"weight": 0.01}}, {"total_variation": {"weight": 1000}}]
    (note,) = notes_on(tiny, chelsea, priors=priors)
    assert note.startswith("total_variation outweighs what the dream climbs: in the last octave the objective ")
    before, after = (float(word.rstrip(";")) for word in note.partition("from ")[2].split()[:3:2])
    assert 0 < after < 1.05 * before
    assert note.endswith("; try a weight of 250 (now 1000)")
    (note,) = notes_on(tiny, chelsea, priors=[{"clip": {"low": -0.1, "high": 0.1}}], octaves={"count": 1, "steps": 5})
    assert note.startswith("clip outweighs what the dream climbs: in the last octave the objective fell from")


def test_a_prior_is_blamed_only_if_the_same_crops_score_less_at_the_end(tiny):
    """The crops of the last step see another part of the picture than those of the first, which may respond less."""
    step = kerasdream.GradientStep(tiny, l2(layer="c3"), [total_variation()], input_range=(-1, 1))
    first, last = (2.0, -0.3), (1.0, -0.1)
    assert not list(of_priors(step, [], (first, last), Progress(), None, lambda: (2.2, -0.4)))
    (remark,) = of_priors(step, [], (first, last), Progress(), None, lambda: (1.5, -0.2))
    assert remark.startswith("energy outweighs")
    assert "fell from 2 to 1.5" in remark


@pytest.mark.parametrize(
    ("ascent", "advice"),
    [
        ([], "a bare gradient is far smaller than a level; add - normalize and - rate: 0.018 to ascent"),
        ([{"rate": 0.018}], "a bare gradient is far smaller than a level; add - normalize to ascent"),
        (["normalize", {"rate": {"from": 1e-5, "to": 1e-6}}], "try a larger rate (now 1e-05), such as 0.018"),
    ],
)
def test_picture_that_hardly_changed_is_remarked_on(tiny, chelsea, ascent, advice):
    note = notes_on(tiny, chelsea, ascent=ascent, priors=[])[-1]
    assert note.startswith("the picture hardly changed (by 0.")
    assert advice in note


def test_burnt_picture_is_remarked_on_with_its_share(tiny, chelsea):
    (note,) = notes_on(tiny, chelsea, ascent=["normalize", {"rate": 0.4}], priors=[])
    assert note.startswith("the picture burnt out: ")
    assert "% of its values are black or white (of the source's 0%): try a smaller rate (now 0.4)" in note
    dark = np.where(chelsea < -0.4, np.float32(-1), chelsea)  # much of the photo is black already
    assert notes_on(tiny, dark) == ()
