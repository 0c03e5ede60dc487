"""The pictures that a run starts from."""

from pathlib import Path

import numpy as np
import pytest

from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.session import sources


def test_noise_has_the_requested_mean_and_spread():
    def noise(image, seed=0):
        document = YamlDocument({"seed": seed, "image": {"source": "noise", "size": [200, 300], **image}}, "noise")
        return sources.noise(resolve(document, Path("."))).pixels

    usual, bright = noise({}), noise({"mean": 0.5686, "spread": 0.0627})
    assert usual.shape == (200, 300, 3)
    assert (usual.mean(), usual.std()) == (pytest.approx(0, abs=1e-3), pytest.approx(0.1, rel=0.01))
    assert (bright.mean(), bright.std()) == (pytest.approx(0.5686, abs=1e-3), pytest.approx(0.0627, rel=0.01))
    np.testing.assert_allclose((bright - 0.5686) / 0.0627, usual / 0.1, atol=1e-4)  # the seed's numbers
    assert np.abs(noise({"mean": 1, "spread": 3})).max() == 1
    assert (noise({"spread": 0, "mean": -0.5}) == -0.5).all()
    assert np.abs(noise({}, seed=1) - usual).mean() > 0.1
