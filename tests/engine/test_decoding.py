"""Decoding a parametrization's state: traced, or eagerly with a note; a true error is raised at once."""

import numpy as np
import pytest

import kerasdream
from kerasdream import Parametrization, PluginError, ops
from kerasdream.engine.decoding import Decoding
from kerasdream.plugins.spec import PartSpec

SHAPE = 20, 30


def state(seed=0):
    return np.random.default_rng(seed).normal(size=(*SHAPE, 3)).astype("float32")


def of_plugin(decode):
    """The decode of a plugin: its errors and results are attributed to it."""

    def mine():
        return Parametrization(init=lambda picture, seed: picture, decode=decode)

    spec = PartSpec("parametrizations", "mine", mine, "plugin", {}, {}, ())
    return Decoding(spec.make().decode, spec.origin)


def test_decode_is_traced_once_for_picture_and_gradient():
    calls = []

    def decode(state, height, width):
        calls.append((height, width))
        return ops.tanh(state)

    decoding = Decoding(decode)
    for seed in range(3):
        np.testing.assert_allclose(decoding.picture(state(seed), SHAPE), np.tanh(state(seed)), atol=1e-5)
        slope = decoding.pulled_back(state(seed), SHAPE, np.ones((*SHAPE, 3), "float32"))
        np.testing.assert_allclose(slope, 1 - np.tanh(state(seed)) ** 2, atol=1e-5)
    assert calls == [SHAPE] * 2
    assert decoding.notes == ()


@pytest.mark.parametrize(
    ("need", "reason"),
    [
        (lambda x: float(ops.max(x)), "TypeError"),
        (lambda x: 1.0 if ops.max(x) > 0 else 2.0, "OperatorNotAllowedInGraphError"),
        (lambda x: x.numpy().max(), "AttributeError"),
        (lambda x: np.asarray(x).max(), "NotImplementedError"),
    ],
    ids=["float", "if", "numpy()", "asarray"],
)
def test_decode_that_cannot_be_traced_runs_eagerly_with_a_note(need, reason):
    calls = []

    def decode(state, height, width):
        need(state)
        calls.append((height, width))
        return ops.tanh(state)

    for decoding in (Decoding(decode, "the parametrization 'tanh'"), of_plugin(decode)):
        calls.clear()
        for seed in range(2):
            np.testing.assert_allclose(decoding.picture(state(seed), SHAPE), np.tanh(state(seed)), atol=1e-5)
            slope = decoding.pulled_back(state(seed), SHAPE, np.ones((*SHAPE, 3), "float32"))
            np.testing.assert_allclose(slope, 1 - np.tanh(state(seed)) ** 2, atol=1e-5)
        assert calls == [SHAPE] * 4  # the failed trace did not get as far
        (note,) = decoding.notes
        assert f"cannot be traced ({reason}: " in note
        assert "use only keras.ops in decode" in note


@pytest.mark.parametrize("error", [ZeroDivisionError, TypeError, KeyError])
def test_errors_in_decode_are_raised(error):
    """Those that a failed trace could have raised too."""

    calls = []

    def decode(state, height, width):
        calls.append((height, width))
        raise error("a bug")

    decoding = Decoding(decode)
    with pytest.raises(error, match="a bug"):
        decoding.picture(state(), SHAPE)
    assert len(calls) == (2 if error is TypeError else 1)  # tried eagerly only if the trace may be at fault
    decoding = of_plugin(decode)
    with pytest.raises(PluginError, match=rf"failed.*: {error.__name__}: "):
        decoding.picture(state(), SHAPE)
    assert decoding.notes == ()


def test_wrong_shapes_and_numbers_are_attributed():
    decoding = of_plugin(lambda state, height, width: state[:, 1:])
    with pytest.raises(PluginError, match="returned"):
        decoding.picture(state(), SHAPE)
    decoding = of_plugin(lambda state, height, width: ops.log(state - 100.0))
    with pytest.raises(PluginError, match="not finite"):
        decoding.picture(state(), SHAPE)
    decoding = of_plugin(lambda state, height, width: ops.zeros((height, width, 3)))
    with pytest.raises(PluginError, match="without a gradient"):
        decoding.pulled_back(state(), SHAPE, np.ones((*SHAPE, 3), "float32"))


def test_the_note_reaches_the_result(tiny, chelsea):
    form = Parametrization(
        init=lambda picture, seed: np.arctanh(picture.clip(-0.99, 0.99)),
        decode=lambda state, height, width: ops.tanh(state) if ops.max(state) > -9 else state,
    )
    result = kerasdream.dream(
        chelsea[:48, :64],
        model=tiny,
        objectives={"l2": "c3"},
        parametrization=form,
        priors=[],
        octaves={"count": 2, "steps": 2},
        input_range=(-1, 1),
    )
    (note,) = [note for note in result.notes if "cannot be traced" in note]
    assert note.startswith("the parametrization 'parametrization' given from Python cannot be traced")
    assert len(result.scores) == 4
