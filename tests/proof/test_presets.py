"""Presets that draw from noise, at full length."""

import numpy as np
import pytest

import kerasdream


@pytest.mark.proof
@pytest.mark.parametrize("name", ["lucid-channel", "lucid-neuron", "class"])
def test_drawing_from_noise_finishes_with_a_higher_score(name):
    result = kerasdream.dream("noise", preset=name)
    steps = result.manifest["recipe"]["octaves"]["steps"]
    assert len(result.scores) == (steps if isinstance(steps, int) else sum(steps))
    assert np.mean(result.scores[-10:]) > 2 * result.scores[0]
    assert result.notes == ()
