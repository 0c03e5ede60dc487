"""The chain of ascent rules: one traced step equals its rules one by one."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from kerasdream import Rule
from kerasdream.builtin.ascent import adam, mask, momentum, normalize, rate
from kerasdream.engine.chain import Chain
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress
from kerasdream.testing.material import PHOTO


def gradients(shape, count=6, size=1e-9):
    """Gradients as small as those of a mean over a picture; the same pixels are strong in all of them."""
    random = np.random.default_rng(0)
    spread = size * random.uniform(0.1, 10, shape)
    return [(spread * random.normal(0.5, 1, shape)).astype("float32") for _ in range(count)]


RULES = {
    "plain": [normalize(), rate(value=0.2)],
    "momentum": [normalize(), momentum(), rate(value=0.1)],
    "adam": [adam(), rate(value=0.1)],
    "mask": [normalize(), rate(value=0.2), mask(path=PHOTO)],
    "nothing": [],
}


def climbed(rules, given, state, window=None):
    """Some steps of a new chain, as arrays: the state after each, and what the rules remember at the end."""
    chain, memory, states = Chain([PartSpec.of("ascent", rule) for rule in rules]), None, []
    for gradient in given:
        state, memory = chain.step(state, memory, gradient, Progress(), window)
        states.append(np.array(state))
    return states, [np.asarray(leaf) for leaf in keras.tree.flatten(memory) if leaf is not None]


@pytest.mark.parametrize("name", RULES)
def test_the_chain_is_its_rules_one_by_one(name, chelsea):
    """To 1e-5 of [-1, 1]; run again, to the byte."""
    start, rules = chelsea[:50, :61], RULES[name]
    given = gradients(start.shape, size=0.5 if name == "nothing" else 1e-9)
    expected, memory = start, [rule.init(start) for rule in rules]
    states, remembered = climbed(rules, given, start)
    for gradient, state in zip(given, states, strict=True):
        for i, rule in enumerate(rules):
            gradient, memory[i] = rule.update(gradient, memory[i], expected)
        expected = np.clip(expected + np.asarray(gradient), -1, 1)
        np.testing.assert_allclose(state, expected, atol=1e-5)
    assert abs(states[-1] - start).mean() > 0.05
    assert (abs(states[-1]) == 1).any()  # it was clipped
    again, remembered_again = climbed(rules, given, start)
    for one, other in zip(states + remembered, again + remembered_again, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", ["plain", "momentum", "adam", "nothing"])
def test_a_chain_in_a_window_is_that_of_the_window_alone(name, chelsea):
    start, window = chelsea[:50, :61], (slice(7, 40), slice(20, 61))
    given = gradients(start.shape, size=0.5 if name == "nothing" else 1e-9)
    states, remembered = climbed(RULES[name], given, start, window)
    alone, remembered_alone = climbed(RULES[name], [gradient[window] for gradient in given], start[window])
    expected = start.copy()
    expected[window] = alone[-1]
    np.testing.assert_allclose(states[-1], expected, atol=1e-5)
    for whole, part in zip(remembered, remembered_alone, strict=True):
        np.testing.assert_allclose(whole[window] if whole.shape == start.shape else whole, part, rtol=1e-4, atol=1e-20)


def test_step_of_a_window_keeps_the_rest():
    def remember(gradient, memory, state):
        velocity, count = memory
        return gradient + velocity, (velocity + gradient, count + 1)

    rule = Rule(remember, lambda state: (0 * state, np.float32(0)))
    chain = Chain([PartSpec.of("ascent", rule)])
    state, window = np.zeros((20, 30, 3), "float32"), (slice(4, 12), slice(10, 25))
    gradient = np.random.default_rng(1).uniform(-0.1, 0.1, state.shape).astype("float32")
    once, memory = chain.step(state, None, gradient, Progress(), window)
    again, (memory,) = chain.step(once, memory, gradient, Progress(), window)
    inside = np.zeros_like(state)
    inside[window] = gradient[window]
    np.testing.assert_allclose(once, inside, atol=1e-6)
    np.testing.assert_allclose(again, 3 * inside, atol=1e-6)
    np.testing.assert_allclose(memory[0], 2 * inside, atol=1e-6)
    assert float(memory[1]) == 2
