"""The octave loop: the published step, carried detail, interruption, errors."""

import gc
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf

import kerasdream
from kerasdream import DreamError, Objective, Parametrization, ops
from kerasdream.api import as_picture, session_for
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.components import LOGITS
from kerasdream.events import Finished, Started, Stepped
from kerasdream.images import resize
from kerasdream.schedules import Progress

PLAIN = {"priors": [], "transforms": [], "input_range": (-1, 1), "max_side": None}


def dreamed_by_hand(model, layer, source, scale, count, steps, rate, detail):
    """DeepDream as published (2015), by TensorFlow and NumPy alone: one tile, no jitter."""
    features = keras.Model(model.input, model.get_layer(layer).output)
    shapes = [tuple(round(side / scale**i) for side in source.shape[:2]) for i in reversed(range(count))]
    carried = None
    for shape in shapes:
        base = resize(source, shape)
        if carried is None:
            canvas = base
        elif detail:
            canvas = np.clip(base + resize(carried, shape), -1, 1)
        else:
            canvas = np.clip(resize(canvas, shape), -1, 1)
        for _ in range(steps):
            image = tf.Variable(canvas[None])
            with tf.GradientTape() as tape:
                score = 0.5 * tf.reduce_mean(tf.square(features(image)))
            gradient = tape.gradient(score, image).numpy()[0]
            canvas = np.clip(canvas + rate * gradient / np.abs(gradient).mean(), -1, 1)
        carried = canvas - base
    return canvas


@pytest.mark.parametrize("detail", [True, False])
def test_loop_equals_the_published_algorithm(tiny, chelsea, detail):
    source = chelsea[:128, :192]
    result = kerasdream.dream(
        source,
        model=tiny,
        objectives={"l2": "c3"},
        ascent=["normalize", {"rate": 0.02}],
        octaves={"count": 3, "scale": 2.0, "steps": 4, "detail": detail},
        tiles={"size": 512, "halo": 0},
        **PLAIN,
    )
    expected = dreamed_by_hand(tiny, "c3", source, 2.0, 3, 4, 0.02, detail)
    np.testing.assert_allclose(result.image, expected, atol=2e-4)
    assert np.abs(result.image - source).mean() > 0.01
    assert len(result.scores) == 12


def test_strength_is_a_factor_of_every_step(tiny, chelsea):
    """Half the strength equals half the rate, to the byte; the recipe says which it was."""
    common = {"model": tiny, "objectives": {"l2": "c3"}, "octaves": {"count": 2, "steps": 3}, **PLAIN}
    half = kerasdream.dream(chelsea[:64, :96], strength=0.5, ascent=["normalize", {"rate": 0.25}], **common)
    rate = kerasdream.dream(chelsea[:64, :96], ascent=["normalize", {"rate": 0.125}], **common)
    assert half.image.tobytes() == rate.image.tobytes()
    assert half.manifest["recipe"]["strength"] == 0.5
    assert np.abs(half.image - chelsea[:64, :96]).mean() > 0.05


def test_events_are_in_order_and_correct(tiny, chelsea):
    seen = []
    parts = {"objectives": {"l2": "c3"}, "octaves": {"count": 2, "steps": 3}, **PLAIN}
    result = kerasdream.dream(chelsea[:96, :128], model=tiny, on_event=seen.append, **parts)
    assert [type(event) for event in seen] == [Started, *[Stepped] * 6, Finished]
    steps = seen[1:-1]
    assert [(e.progress.octave, e.progress.step, e.progress.run_step) for e in steps] == [
        (0, 0, 0), (0, 1, 1), (0, 2, 2), (1, 0, 3), (1, 1, 4), (1, 2, 5),
    ]  # fmt: skip
    assert tuple(e.score for e in steps) == result.scores
    assert steps[-1].scores == {"l2 c3": pytest.approx(steps[-1].score)}
    assert steps[-1].picture().shape == (96, 128, 3)
    assert seen[0].plan.steps == 6


def test_one_trace_over_five_octaves(tiny, chelsea):
    session = session_for(model=tiny, objectives={"l2": "c3"}, octaves={"count": 5, "steps": 2}, input_range=(0, 255))
    result = session.dream(as_picture(chelsea))
    assert len(result.scores) == 10
    assert session.step.engine.traces == 1


def test_schedules_reach_weights_priors_and_rules(tiny, chelsea):
    """A weight that is a schedule equals the run with the numbers it takes; nothing is traced twice."""
    common = {"model": tiny, "octaves": {"count": 1, "steps": 3}, "ascent": [{"rate": 2.0}], "input_range": (-1, 1)}
    common |= {"max_side": None, "transforms": []}
    picture = chelsea[:64, :64]
    seen = []
    kerasdream.dream(
        picture,
        objectives=[{"l2": {"layer": "c3", "weight": {"from": 1, "to": 3}}}],
        priors=[{"total_variation": {"weight": {"keys": {0: 0, 2: 0.2}}, "scale": "absolute"}}],
        on_event=lambda event: seen.append(event) if isinstance(event, Stepped) else None,
        **common,
    )
    for event, (weight, prior) in zip(seen, [(1, 0), (2, 0.1), (3, 0.2)], strict=True):
        parts = event.scores
        assert event.score == pytest.approx(weight * parts["l2 c3"] + prior * parts["total_variation"], rel=1e-5)


def test_gradient_is_pulled_back_through_the_parametrization(tiny, chelsea):
    form = Parametrization(
        init=lambda picture, seed: np.arctanh(picture.clip(-0.99, 0.99)),
        decode=lambda state, height, width: ops.tanh(state),
    )
    source = chelsea[:64, :64] * 0.5
    common = {"model": tiny, "objectives": {"l2": "c3"}, "ascent": [{"rate": 50.0}], "parametrization": form, **PLAIN}
    result = kerasdream.dream(source, octaves={"count": 1, "steps": 5}, **common)
    assert result.scores[-1] > result.scores[0]
    step = kerasdream.GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1))
    state = np.arctanh(source)
    _, gradient = step(source)
    expected = np.tanh(state + 50.0 * gradient * (1 - source**2))  # the chain rule by hand
    one = kerasdream.dream(source, octaves={"count": 1, "steps": 1}, **common)
    np.testing.assert_allclose(one.image, expected, atol=1e-4)


@pytest.mark.parametrize("parametrization", ["pixels", "fourier"])
def test_no_picture_of_an_earlier_step_is_kept(tiny, chelsea, monkeypatch, parametrization):
    """While a gradient is computed, source and canvas are the only arrays of their size."""
    session = session_for(
        model=tiny,
        objectives={"l2": "c3"},
        parametrization=parametrization,
        ascent=["adam", {"rate": 0.02}],
        octaves={"count": 2, "steps": 2},
        input_range=(-1, 1),
    )
    evaluate, earlier = session.step.evaluate, []

    def watched(picture, *rest, factors):
        gc.collect()
        assert all(kept() is None for kept in earlier)
        slope = evaluate(picture, *rest, factors=factors)
        # An octave's first picture is seen twice: before the first step, for the unit of the priors.
        earlier.extend(
            map(weakref.ref, [slope.gradient] if factors == session.step.parts.alone() else [picture, slope.gradient])
        )
        return slope

    monkeypatch.setattr(session.step, "evaluate", watched)
    gc.collect()
    gc.freeze()  # what there was before need not be collected each time
    try:
        session.dream(as_picture(chelsea[:96, :128]))
    finally:
        gc.unfreeze()
    assert len(earlier) >= 10  # the last picture may be seen again, for the remarks


def test_interrupted_dream_is_returned_at_full_size(tiny, chelsea):
    def interrupt(event):
        if isinstance(event, Stepped) and event.progress.run_step == 3:
            raise KeyboardInterrupt

    source = chelsea[:128, :128]
    result = kerasdream.dream(
        source, model=tiny, objectives={"l2": "c3"}, octaves={"count": 3, "steps": 3}, on_event=interrupt, **PLAIN
    )
    assert result.interrupted
    assert len(result.scores) == 4
    assert result.image.shape == source.shape
    assert np.abs(result.image - source).mean() > 1e-3
    assert result.manifest["interrupted"] is True


def test_saturated_objective_does_not_end_the_dream(tiny, chelsea):
    """After the first step, a zero gradient leaves the picture unchanged."""
    source, common = chelsea[:64, :64], {"model": tiny, "octaves": {"count": 1, "steps": 6}, **PLAIN}
    first, second = kerasdream.dream(source, objectives={"mean": "r2"}, **common).scores[:2]
    limit = (first + second) / 2
    saturated = Objective("r2", lambda a: ops.minimum(ops.mean(a["r2"], axis=(1, 2, 3)), limit))
    pictures = []

    def on_event(event):
        if isinstance(event, Stepped):
            pictures.append(event.picture())

    result = kerasdream.dream(source, objectives=saturated, on_event=on_event, **common)
    assert result.scores == (pytest.approx(first, rel=1e-4), *[pytest.approx(limit)] * 5)
    assert result.notes == ()
    assert np.abs(result.image - source).mean() > 0.01
    for picture in pictures[1:]:
        np.testing.assert_array_equal(picture, pictures[0])


def test_zero_and_infinite_gradients_are_errors(tiny, chelsea):
    nothing = Objective("c3", lambda activations: 0.0 * activations["c3"][..., 0])
    smoothing = {**PLAIN, "priors": ["total_variation"]}
    for options in (PLAIN, smoothing):  # a prior's slope alone is not enough
        with pytest.raises(DreamError, match="gradient is zero in every octave"):
            kerasdream.dream(chelsea[:64, :64], model=tiny, objectives=nothing, **options)
    large = Objective("c3", lambda a: a["c3"][..., 0] * ops.cast(ops.shape(a["c3"])[1] > 24, "float32"))
    result = kerasdream.dream(
        chelsea[:128, :128], model=tiny, objectives=large, octaves={"count": 2, "scale": 2.0, "steps": 3}, **PLAIN
    )
    assert len(result.scores) == 3
    assert result.notes == (
        "octave 1 was skipped: at that size the picture does not excite the selected layer or channel",
    )
    infinite = Objective("c3", lambda activations: ops.log(0.0 * activations["c3"][..., 0]))
    with pytest.raises(DreamError, match=r"not finite at octave 1, step 1: objective c3 = (nan|-inf) \(the objective"):
        kerasdream.dream(chelsea[:64, :64], model=tiny, objectives=infinite, **PLAIN)


def test_dream_continues_with_smaller_views_when_memory_runs_out(tiny, chelsea, monkeypatch):
    """In the middle of a run: from then on the views are smaller, and so they are in the state to resume from."""
    options = {"octaves": {"count": 1, "steps": 4}, "tiles": {"size": 200}, **PLAIN}
    session = session_for(model=tiny, objectives={"l2": "c3"}, **options)
    computed, seen = session.step.engine._step, []

    def limited(views, *rest):
        seen.append(int(views.shape[1]) * int(views.shape[2]))
        if len(seen) > 2 and seen[-1] > 20_000:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return computed(views, *rest)

    monkeypatch.setattr(session.step.engine, "_step", limited)
    result = session.dream(as_picture(chelsea[:190, :200]))
    assert seen[0] > 20_000
    assert all(pixels <= 20_000 for pixels in seen[-4:])
    assert len(result.scores) == 4
    (note,) = result.notes
    assert "memory ran out" in note
    assert result.manifest["memory_ran_out"] == {"views": 140}
    assert result.peak_memory > 100e6


def test_crops_from_the_run_file_raise_a_class(lite0, coffee):
    objective = Objective(LOGITS, lambda a: a[LOGITS][:, 967])
    result = kerasdream.dream(
        coffee, model=lite0, objectives=objective, priors=[], max_side=256, octaves={"count": 1, "steps": 3},
        views="auto", crops={"spread": 0.2},
    )  # fmt: skip
    assert result.manifest["recipe"]["views"] == "auto"
    assert result.manifest["recipe"]["crops"] == {"size": "auto", "count": "auto", "side": None, "spread": 0.2}
    assert result.scores[-1] > result.scores[0]


def test_unit_of_the_priors_is_measured_in_each_octave_and_recorded(tiny, chelsea):
    """Once, before the first step; not at all if every weight is absolute."""
    session = session_for(model=tiny, objectives={"l2": "c3"}, octaves={"count": 2, "steps": 3}, input_range=(-1, 1))
    result = session.dream(as_picture(chelsea[:96, :128]))
    units = result.manifest["prior_units"]
    assert len(units) == 2
    plan = session.plan((96, 128))
    start = resize(chelsea[:96, :128], plan.sizes[0]).clip(-1, 1)
    assert units[0] == pytest.approx(session.step.units(start, plan, Progress(octaves=2, steps=3))[0], rel=1e-5)
    held = kerasdream.dream(
        chelsea[:96, :128], model=tiny, objectives=[{"l2": "c3"}, {"hold": "c2"}], octaves={"count": 2, "steps": 1},
        input_range=(-1, 1),
    )  # fmt: skip
    assert [len(each) for each in held.manifest["objective_units"]] == [1, 1]
    assert held.manifest["prior_units"][0] == pytest.approx(units[0], rel=1e-5)
    assert "objective_units" not in result.manifest
    bare = [{"total_variation": {"scale": "absolute"}}]
    options = {"octaves": {"count": 2, "steps": 1}, "priors": bare, "input_range": (-1, 1)}
    assert (
        "prior_units"
        not in kerasdream.dream(chelsea[:64, :64], model=tiny, objectives={"l2": "c3"}, **options).manifest
    )
