"""A prior makes a drawn class a likelier picture without losing the class."""

from __future__ import annotations

import numpy as np
import pytest

import kerasdream
from kerasdream.builtin.priors import spectrum


@pytest.mark.proof
def test_with_a_prior_the_picture_is_likelier_and_still_shows_the_class(lite0):
    """Compare the maximum of log p(class | picture) + log p(picture) with that of the first term alone."""
    start = np.random.default_rng(0).normal(0, 0.05, (224, 224, 3)).astype("float32")

    def drawn(weight):
        return kerasdream.dream(
            start,
            model=lite0,
            objectives={"class": {"index": 980}},
            priors=[{"spectrum": {"weight": weight, "scale": "absolute"}}],
            octaves={"count": 1, "steps": 20},
            ascent=["normalize", {"rate": 0.03}],
        ).image

    def logit(picture):
        return float(lite0.model(lite0.preprocess(picture[None]))[0, 980])

    def log_p(picture):
        return float(np.mean(spectrum().log_p(picture[None])))

    rough, smooth = drawn(0.0), drawn(1000.0)
    assert logit(rough) > logit(start) + 3
    assert logit(smooth) > logit(start) + 3
    assert log_p(smooth) > 0.5 * log_p(rough)
