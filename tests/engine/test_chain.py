"""The ascent chain: a step of a window."""

import numpy as np

import kerasdream
from kerasdream.engine.chain import Chain
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress


def noise(height, width, seed=0):
    return np.random.default_rng(seed).uniform(-1, 1, (height, width, 3)).astype("float32")


def test_step_of_a_window_keeps_the_rest():
    def remember(gradient, memory, state):
        velocity, count = memory
        return gradient + velocity, (velocity + gradient, count + 1)

    rule = kerasdream.Rule(remember, lambda state: (0 * state, np.float32(0)))
    chain = Chain([PartSpec.of("ascent", rule)])
    state, gradient, window = 0 * noise(20, 30), 0.1 * noise(20, 30, 1), (slice(4, 12), slice(10, 25))
    once, memory = chain.step(state, None, gradient, Progress(), window)
    again, (memory,) = chain.step(once, memory, gradient, Progress(), window)
    inside = np.zeros_like(state)
    inside[window] = gradient[window]
    np.testing.assert_allclose(once, inside, atol=1e-6)
    np.testing.assert_allclose(again, 3 * inside, atol=1e-6)
    np.testing.assert_allclose(memory[0], 2 * inside, atol=1e-6)
    assert float(memory[1]) == 2
