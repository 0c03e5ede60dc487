"""A class dreamed in crops is attributed to the photo's own subject: the cat, not what is behind it."""

import numpy as np
import pytest

import kerasdream
from kerasdream import images

pytestmark = pytest.mark.proof


def test_the_cats_class_is_attributed_to_the_cat(chelsea):
    """Its head is an ellipse drawn by hand, half of the photo; it is at least twice as opaque as the rest."""
    result = kerasdream.dream(
        chelsea, max_side=384, objectives={"class": {"name": "Egyptian cat"}}, attribution=True,
        octaves={"count": 2, "steps": 30}, crops={"side": {"from": 1.0, "to": 0.6}, "spread": 1.0},
    )  # fmt: skip
    alpha = images.opacity(result.attribution)
    height, width = alpha.shape
    down, right = np.mgrid[:height, :width]
    head = ((down / height - 0.45) / 0.5) ** 2 + ((right / width - 0.43) / 0.34) ** 2 < 1
    assert 0.5 < head.mean() < 0.55
    assert alpha[head].mean() > 2 * alpha[~head].mean()  # measured: 2.8
