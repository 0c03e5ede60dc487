"""Schedules with an item for each octave: their values, their errors, and their effect on every kind of part."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import yaml
from scipy.ndimage import gaussian_filter

import kerasdream
from kerasdream.config.document import YamlDocument, parse
from kerasdream.config.resolve import resolve
from kerasdream.config.schema import json_schema
from kerasdream.errors import ConfigError
from kerasdream.events import Stepped
from kerasdream.plugins.manager import discover as load_plugins
from kerasdream.schedules import Each, Keys, Progress, Ramp

FIRST = "image: x.jpg\noctaves: {count: 3}\nascent:\n  - "


def resolved(rule):
    return resolve(parse(FIRST + rule, "f.yaml"), Path("."))


def valid(text):
    return not list(jsonschema.Draft202012Validator(json_schema(load_plugins().registry)).iter_errors(text))


def test_ramps_and_keys_over_steps_octaves_and_the_run():
    ramp = Ramp(**{"from": 2.0, "to": 1.0})
    assert [ramp.value_at(Progress(step=i, steps=5)) for i in (0, 2, 4)] == [2.0, 1.5, 1.0]
    assert ramp.value_at(Progress(step=0, steps=1)) == 2.0
    over = Ramp(**{"from": 0.0, "to": 10.0, "over": "octaves"})
    assert [over.value_at(Progress(octave=i, octaves=3, step=9, steps=10)) for i in range(3)] == [0, 5, 10]
    keys = Keys(keys={0: 1.0, 10: 3.0}, over="run")
    assert [keys.value_at(Progress(run_step=i, run_steps=100)) for i in (0, 5, 10, 50)] == [1, 2, 3, 3]
    assert Keys(keys={5: 1.0, 10: 3.0}).value_at(Progress(step=2, steps=20)) == 1.0


def test_items_align_with_the_finest_octave():
    schedule = Each[float](each=[5.0, Ramp[float](**{"from": 2.0, "to": 1.0}), Keys[float](keys={0: 7.0, 2: 9.0})])
    at = [
        [schedule.value_at(Progress(octave, 3, step, 3, 3 * octave + step, 9)) for step in range(3)]
        for octave in range(3)
    ]
    assert at == [[5, 5, 5], [2, 1.5, 1], [7, 8, 9]]
    twice = schedule.times(2)
    assert [twice.value_at(Progress(octave, 3, 1, 3)) for octave in range(3)] == [10, 3, 16]
    assert schedule.value_at(Progress(0, 3)) == 5
    dropped = [schedule.value_at(Progress(octave, 2, 2, 3)) for octave in range(2)]  # one octave fewer
    assert dropped == [1, 9]


def test_schedule_survives_a_round_trip():
    text = "rate: {each: [1, {from: 2, to: 3, over: run}, {keys: {0: 4}}]}"
    config = resolved(text)
    items = config.ascent[0].values["value"].each
    assert [type(item).__name__ for item in items] == ["float", "Ramp[float]", "Keys[float]"]
    again = resolve(YamlDocument(json.loads(json.dumps(config.data)), "a recipe"), Path("."))
    assert again.data == config.data
    assert valid(config.data)
    assert valid(yaml.safe_load(FIRST + text))
    assert valid(yaml.safe_load(FIRST + text.replace("rate: {each", "rate: {value: {each") + "}"))


@pytest.mark.parametrize(
    ("rule", "places"),
    [
        ("rate: {each: [1, x, 3]}", ["4:5: ascent.0.rate.value.each.1: expected a number, not x"]),
        (
            "rate: {value: {each: [1, {from: 1, too: 2}, {keys: {0: 1}, ovr: 2}]}}",
            [
                "4:30: ascent.0.rate.value.each.1.to: missing",
                "4:40: ascent.0.rate.value.each.1.too: unknown key 'too'; did you mean 'to'?",
                "4:64: ascent.0.rate.value.each.2.ovr: unknown key 'ovr'; did you mean 'over'?",
            ],
        ),
        ("rate: {each: []}", ["ascent.0.rate.value.each: expected at least 1 item, not []"]),
        ("rate: {each: 3}", ["ascent.0.rate.value.each: expected a list, not 3"]),
        ("rate: {each: [1, 2, 3], over: run}", ["rate.value.over: unknown key 'over'; available: each"]),
        ("rate: {keys: {0: 1}, til: 3}", ["rate.value.til: unknown key 'til'; available: keys, over"]),
    ],
)
def test_errors(rule, places):
    with pytest.raises(ConfigError) as caught:
        resolved(rule)
    lines = str(caught.value).splitlines()
    assert len(lines) == len(places)
    for line, place in zip(lines, places, strict=True):
        assert line.startswith("f.yaml:4:")
        assert place in line
    assert not valid(yaml.safe_load(FIRST + rule))


def test_too_few_items_are_reported_with_their_line():
    with pytest.raises(ConfigError) as caught:
        resolve(
            parse(
                "image: x.jpg\nobjectives:\n  - l2: {layer: block9_expand, weight: {each: [1, 0]}}\n"
                "priors:\n  - gaussian_blur:\n      sigma:\n        each: [1]\noctaves: {scale: [1.2, 1.2]}\n"
                "crops: {side: {each: [1, 0.5]}}\n",
                "f.yaml",
            ),
            Path("."),
        )
    assert str(caught.value).splitlines() == [
        "f.yaml:3:41: objectives.0.l2.weight.each: expected an item for each of the 3 octaves, not 2",
        "f.yaml:7:9: priors.0.gaussian_blur.sigma.each: expected an item for each of the 3 octaves, not 1",
        "f.yaml:9:16: crops.side.each: expected an item for each of the 3 octaves, not 2",
    ]
    resolved("rate: {each: [1, 2, 3, 4]}")  # more items than octaves are fine


def test_schedules_of_weights_rules_and_projections(tiny, chelsea):
    """The weights show in the scores, the rate and the blur in the pictures."""
    events = []
    kerasdream.dream(
        0.5 * chelsea[:64, :80],  # far from clipping
        model=tiny,
        objectives=[
            {"l2": {"layer": "c3", "weight": {"each": [9, 1, 0]}}},
            {"mean": {"layer": "r2", "weight": {"each": [9, 0, {"from": 1, "to": 3}]}}},
        ],
        priors=[{"gaussian_blur": {"sigma": {"each": [9, {"from": 2, "to": 1}, 0]}}}],
        ascent=["normalize", {"rate": {"each": [9, 0, {"from": 0.05, "to": 0.01}]}}],
        transforms=[],
        octaves={"count": 3, "scale": 1.5, "steps": 2},  # the coarsest octave is dropped
        input_range=(-1, 1),
        on_event=lambda event: events.append(event) if isinstance(event, Stepped) else None,
    )
    assert [event.progress.octaves for event in events] == [2] * 4
    for event, (l2, mean) in zip(events, [(1, 0), (1, 0), (0, 1), (0, 3)], strict=True):
        assert event.score == pytest.approx(l2 * event.scores["l2 c3"] + mean * event.scores["mean r2"], rel=1e-6)
    pictures = [event.picture() for event in events]
    blurred = gaussian_filter(pictures[0], (1, 1, 0), mode="reflect")  # the rate is 0
    np.testing.assert_allclose(pictures[1], np.clip(blurred, -1, 1), atol=1e-6)
    assert np.abs(pictures[3] - pictures[2]).mean() == pytest.approx(0.01, rel=1e-3)


@pytest.mark.parametrize(
    "schedule", ["{from: 1, to: -1}", "{keys: {0: 1, 3: -1}}", "{each: [-1]}", "{each: [{from: 1, to: -1}]}"]
)
def test_numbers_in_schedules_keep_the_bounds_of_their_parameter(schedule):
    text = f"image: noise\nobjectives: [{{l2: block9_expand}}]\npriors:\n  - gaussian_blur: {{sigma: {schedule}}}\n"
    with pytest.raises(ConfigError, match="expected at least 0"):
        resolve(parse(text, "f.yaml"), Path("."))
