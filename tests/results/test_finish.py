"""The postprocess steps."""

from __future__ import annotations

import numpy as np
import pytest

from kerasdream import ImageError, Postprocess
from kerasdream.images import Picture
from kerasdream.results.finish import finish, finished_shape

TWICE = Postprocess(lambda picture, source: picture.repeat(2, 0).repeat(2, 1), scale=2)
DIFFERENCE = Postprocess(lambda picture, source: (picture - source).clip(-1, 1))


def test_steps_are_applied_in_order_with_the_source_at_their_size():
    dream = np.full((4, 6, 3), 0.5, "float32")
    photo = Picture(np.full((4, 6, 3), 0.25, "float32"), np.full((4, 6), 0.5, "float32"), "", "", ())
    image, alpha, attribution = finish(dream, photo, [TWICE, DIFFERENCE])
    assert finished_shape([TWICE, DIFFERENCE], (4, 6)) == image.shape[:2] == alpha.shape == (8, 12)
    np.testing.assert_allclose(image, 0.25, atol=1e-6)
    np.testing.assert_allclose(alpha, 0.5, atol=1e-6)
    assert attribution is None


def test_a_step_receives_the_attribution_at_its_size():
    seen = []

    def apply(picture, source, attribution):
        seen.append(attribution)
        return picture

    asking = Postprocess(apply, attributed=True)
    pulls = np.arange(24, dtype="float32").reshape(4, 6)
    photo = Picture(np.zeros((4, 6, 3), "float32"), None, "", "", ())
    made = finish(photo.pixels, photo, [asking, TWICE, asking], pulls)
    np.testing.assert_array_equal(seen[0], pulls)
    assert seen[1] is made.attribution
    assert seen[1].shape == (8, 12)
    assert seen[1].min() >= 0
    assert seen[1].mean() == pytest.approx(pulls.mean(), rel=0.01)


def test_too_large_finished_picture_is_an_error():
    with pytest.raises(ImageError, match="the finished picture would have 65536×65536 pixels; expected at most"):
        finished_shape([TWICE] * 4, (4096, 4096))
