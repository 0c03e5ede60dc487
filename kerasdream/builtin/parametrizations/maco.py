"""The picture as the phases of its spectrum, whose magnitudes are those of photographs."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from kerasdream import ops
from kerasdream.builtin.parametrizations.colour import from_picture, to_picture
from kerasdream.builtin.parametrizations.natural import magnitude
from kerasdream.builtin.parametrizations.spectrum import spectrum_of, values_of
from kerasdream.components import Parametrization

if TYPE_CHECKING:
    import numpy as np


FAINT = 1e-4
"""Standard deviation of the noise that gives phases to what has none, a hundredth of a level of 255."""


def maco() -> Parametrization:
    """Optimises the phases of the spectrum alone: where structures lie, never how strong they are at any scale.

    values = inverse FFT(m · exp(i · phase)), with m the mean magnitude of the spectra of photographs; picture =
    2 · sigmoid(values · Mᵀ) − 1, with M the square root of the covariance of ImageNet's colours. A picture can then
    neither turn to noise nor saturate, and its contrast and its mean, grey, are given. MaCo (Fel et al., "Unlocking
    Feature Visualization for Deeper Networks with MAgnitude Constrained Optimization", NeurIPS 2023); there the phases
    are standardised too.

    The state is ``(3, height, width // 2 + 1)``, in radians. A photo to start from gives its phases; where it is flat,
    the seed does.
    """
    cached = lru_cache(maxsize=1)(magnitude)

    def init(picture, seed):
        import numpy as np

        values = from_picture(picture)
        return np.angle(spectrum_of(values + np.random.default_rng(seed).normal(0, FAINT, values.shape)))

    def decode(state, height, width):
        phase, strength = _odd(state, width), cached(height, width)
        return to_picture(values_of(strength * ops.cos(phase), strength * ops.sin(phase), width))

    return Parametrization(init, decode)


def _odd(phase: np.ndarray, width: int) -> np.ndarray:
    """Returns phases that a real picture can have.

    In the columns that are their own mirror image, that at −f is the opposite of that at f.
    """
    import numpy as np

    column = np.arange(width // 2 + 1)
    own = (column == 0) | (2 * column == width)
    opposite = ops.roll(ops.flip(phase, axis=1), 1, axis=1)
    return ops.where(own, (phase - opposite) / 2, phase)
