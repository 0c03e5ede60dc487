"""Octaves: sizes and steps, as lists or numbers, dropped octaves, and when an octave ends early."""

from pathlib import Path

import numpy as np
import pytest
import yaml

import kerasdream
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.octaves import Octaves
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError
from kerasdream.events import Stepped
from kerasdream.images import resize
from kerasdream.plan.plan import make_plan
from kerasdream.schedules import Progress

PLAIN = {"priors": [], "transforms": [], "ascent": ["normalize", "rate"], "input_range": (-1, 1), "max_side": None}


def resolved(octaves):
    return resolve(parse(f"image: x.jpg\noctaves: {octaves}", "f.yaml"), Path("."))


@pytest.mark.parametrize(
    ("octaves", "shapes", "steps"),
    [
        ("{}", [(133, 200), (200, 301), (300, 451)], (40,) * 3),
        ("{scale: 1.2}", [(145, 217), (174, 261), (208, 313), (250, 376), (300, 451)], (20,) * 5),
        ("{steps: 7}", [(133, 200), (200, 301), (300, 451)], (7,) * 3),
        ("{count: 5}", [(59, 89), (89, 134), (133, 200), (200, 301), (300, 451)], (20,) * 5),
        ("{count: 2, scale: 2, steps: 7}", [(150, 226), (300, 451)], (7, 7)),
        ("{scale: [1.2, 1.5]}", [(167, 251), (200, 301), (300, 451)], (20,) * 3),
        ("{scale: [1.2], count: 2, steps: [3, 4]}", [(250, 376), (300, 451)], (3, 4)),
        ("{steps: [5, 6, 7], scale: 2}", [(75, 113), (150, 226), (300, 451)], (5, 6, 7)),
        ("{sizes: [[64, 96], [32, 500]], steps: [1, 2]}", [(64, 96), (32, 500)], (1, 2)),
        ("{count: 2, scale: 1.3, finest: 1.69}", [(390, 586), (507, 762)], (20, 20)),
        ("{count: 2, scale: 2, max_side: 200}", [(67, 100), (133, 200)], (20, 20)),
        ("{count: 1, max_side: 512}", [(300, 451)], (20,)),
    ],
)
def test_sizes_and_steps(schema, octaves, shapes, steps):
    config = resolved(octaves)
    assert config.octaves.of((300, 451), 224) == list(zip(shapes, steps, strict=True))
    again = resolve(YamlDocument({"image": "x.jpg", "octaves": config.data["octaves"]}, "a recipe"), Path("."))
    assert again.data["octaves"] == config.data["octaves"]
    for data in ({"image": "x.jpg", "octaves": yaml.safe_load(octaves)}, config.data):
        assert list(schema.iter_errors(data)) == []


@pytest.mark.parametrize(
    ("octaves", "message"),
    [
        ("{scale: [1.2, 1.2], count: 5}", "2:30: octaves.count: expected 3, to match scale, or no value, not 5"),
        ("{count: 3, steps: [1, 2]}", "octaves.count: expected 2, to match steps, or no value, not 3"),
        (
            "{scale: [2, 2], steps: [3, 4]}",
            "expected a number for each of the 3 octaves that scale gives",
        ),
        (
            "{sizes: [[64, 96]], scale: 2}",
            "octaves.scale: expected no value when sizes is given, not 2",
        ),
        (
            "{sizes: [[64, 96]], finest: 2}",
            "octaves.finest: expected no value when sizes is given, not 2",
        ),
        (
            "{sizes: [[64, 96]], max_side: 200}",
            "octaves.max_side: expected no value when sizes is given, not 200",
        ),
        ("{sizes: [[64, 96]], steps: []}", "octaves.steps: expected at least 1 item"),
        ("{sizes: [64, 96]}", "octaves.sizes.1: expected a list, not 96"),
        ("{scale: [1.2, 0.9]}", "octaves.scale.1: expected at least 1, not 0.9"),
        ("{steps: [3, 0]}", "octaves.steps.1: expected at least 1, not 0"),
        ("{plateau: 0}", "octaves.plateau: expected at least 1, not 0"),
        ("{max_score: high}", "octaves.max_score: expected a number, not high"),
    ],
)
def test_invalid_octaves_are_rejected(octaves, message):
    with pytest.raises(ConfigError) as caught:
        resolved(octaves)
    assert any(line.startswith("f.yaml:2:") and message in line for line in str(caught.value).splitlines())


@pytest.mark.parametrize(("side", "sizes"), [(224, [50]), (96, [50]), (32, [22, 33, 50]), (20, [10, 15, 22, 33, 50])])
def test_octaves_smaller_than_what_the_network_draws_are_left_out(side, sizes):
    steps = 120 // len(sizes) if len(sizes) < 5 else 20
    assert Octaves().of((50, 50), side) == [((size, size), steps) for size in sizes]


def planned(shape, octaves, cutting):
    sizes, steps = zip(*octaves.of(shape, 224), strict=True)
    return make_plan(shape, sizes=sizes, steps=steps, cutting=cutting, seed=0)


@pytest.mark.parametrize(
    ("octaves", "detail"), [({"sizes": [[40, 72], [80, 90]]}, True), ({"scale": [1.5], "finest": 0.8}, False)]
)
def test_dream_passes_all_octaves_and_ends_at_the_pictures_size(tiny, chelsea, octaves, detail):
    source, options = chelsea[:100, :120], {"model": tiny, "objectives": {"l2": "c3"}, **PLAIN}
    shapes = [tuple(size) for size in octaves.get("sizes", [(53, 64), (80, 96)])]
    result = kerasdream.dream(source, octaves={**octaves, "steps": [2, 3], "detail": detail}, **options)
    step = kerasdream.GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1))
    plan = planned(source.shape[:2], Octaves(sizes=shapes), step.cutting)
    canvas, below = None, None
    for number, (shape, steps) in enumerate(zip(shapes, (2, 3), strict=True)):
        base = resize(source, shape)
        canvas = entered(canvas, below, base, detail)
        for index in range(steps):
            gradient = step.evaluate(canvas, plan, Progress(number, 2, index, steps)).gradient
            canvas = np.clip(canvas + 0.018 * gradient / np.abs(gradient).mean(), -1, 1)
        below = base
    np.testing.assert_allclose(result.image, entered(canvas, below, source, detail), atol=2e-4)
    assert len(result.scores) == 5


def entered(canvas, below, base, detail):
    """Return the picture that the next size starts from."""
    if canvas is None:
        return base
    shape = base.shape[:2]
    return np.clip(resize(canvas - below, shape) + base if detail else resize(canvas, shape), -1, 1)


@pytest.mark.parametrize(
    ("octaves", "scores", "over"),
    [
        ({"max_score": 3.0}, [1, 2, 3, 3.5, 2], [False, False, False, True, False]),
        ({"plateau": 2, "plateau_gain": 0.1}, [10, 10.9, 11.05, 11.1, 12.2, 12.2], [False] * 3 + [True, False, True]),
        ({"plateau": 1, "plateau_gain": 0}, [-2, -1, -1, -0.5], [False, False, True, False]),
        ({"plateau": 1, "plateau_gain": 0.1}, [-2, -1.9, -1.5], [False, True, False]),
        ({}, [1, 1, 1, 1, 1], [False] * 5),
    ],
)
def test_is_over_for_max_score_and_plateau(octaves, scores, over):
    octaves = Octaves(**octaves)
    assert [octaves.is_over(scores[: i + 1]) for i in range(len(scores))] == over


def test_octave_ends_when_its_score_exceeds_the_maximum(tiny, chelsea):
    """Steps that an octave leaves out are not made up; the next one starts as if it had been complete."""
    common = {"model": tiny, "objectives": {"l2": "c3"}, **PLAIN}
    octaves = {"count": 2, "steps": 8}
    whole = kerasdream.dream(chelsea[:80, :96], octaves=octaves, **common).scores
    limit = whole[2]  # The fourth step exceeds it.
    seen = []
    kerasdream.dream(
        chelsea[:80, :96],
        octaves={**octaves, "max_score": limit},
        on_event=lambda event: seen.append(event) if isinstance(event, Stepped) else None,
        **common,
    )
    scores = [[event.score for event in seen if event.progress.octave == octave] for octave in (0, 1)]
    assert scores[0] == list(whole[:4])
    assert all(score <= limit for score in scores[1][:-1])
    assert scores[1][-1] > limit or len(scores[1]) == 8
    first = next(event for event in seen if event.progress.octave == 1)
    assert (first.progress.step, first.progress.run_step, first.progress.run_steps) == (0, 8, 16)
    assert [event.last for event in seen].count(True) == 2
    assert seen[3].last
    assert seen[-1].last
