"""Parametrizations: that a picture comes back, their maths by NumPy, their gradients by finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from kerasdream.parametrizations.decorrelated import decorrelated
from kerasdream.parametrizations.fourier import fourier
from kerasdream.parametrizations.laplacian_pyramid import laplacian_pyramid
from kerasdream.testing import check_parametrization

FORMS = {
    "decorrelated": (decorrelated, {}),
    "fourier": (fourier, {}),
    "fourier, plain": (fourier, {"decay": 0.5, "decorrelate": False}),
    "laplacian_pyramid": (laplacian_pyramid, {}),
    "laplacian_pyramid, plain": (laplacian_pyramid, {"levels": 3, "decay": 0.0, "decorrelate": False}),
}
"""Those that can hold any picture."""

SIZES = [(64, 80), (63, 80), (64, 81), (63, 81), (1, 7), (5, 1)]


def pulled_back(form, state, gradient):
    """The gradient with respect to a state."""
    import tensorflow as tf

    state = tf.convert_to_tensor(state)
    with tf.GradientTape() as tape:
        tape.watch(state)
        picture = form.decode(state, *gradient.shape[:2])
    return tape.gradient(picture, state, output_gradients=tf.convert_to_tensor(gradient)).numpy()


@pytest.mark.parametrize("name", FORMS)
def test_the_check_for_plugins_passes(name):
    factory, parameters = FORMS[name]
    check_parametrization(factory, parameters, tolerance=0.001)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", FORMS)
def test_a_picture_of_any_size_comes_back_to_half_a_level(name, size):
    factory, parameters = FORMS[name]
    form = factory(**parameters)
    picture = np.random.default_rng(0).uniform(-1, 1, (*size, 3)).astype("float32")
    picture[0, 0] = -1, 1, -1
    decoded = np.asarray(form.decode(form.init(picture, 0), *size))
    assert np.abs(decoded - picture).max() < 1 / 255 + 1e-4
