"""The picture as the phases of its spectrum; the magnitudes are taken from photographs."""

from __future__ import annotations

from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kerasdream import Parametrization, ops
from kerasdream.builtin.parametrizations.colour import from_picture, to_picture
from kerasdream.builtin.parametrizations.natural import bands_of, magnitude
from kerasdream.builtin.parametrizations.spectrum import spectrum_of, values_of

FAINT = 1e-4
"""Standard deviation of the noise that gives phases to flat areas: a hundredth of a level of 255."""

SPREAD = np.float32(np.pi / np.sqrt(3))
"""Standard deviation of phases of which none is more likely than another, in radians: those of photographs, nearly."""


def maco(*, spectrum: Path | None = None) -> Parametrization:
    """Optimise only the phases of the spectrum: where structures are, never how strong they are at any scale.

    values = inverse FFT(m · exp(i · phase)), with m the mean magnitude of the spectra of photographs; picture =
    2 · sigmoid(values · Mᵀ) − 1, with M the square root of the covariance of ImageNet's colours. A picture can then
    neither turn to noise nor saturate, and its contrast and its mean, grey, are fixed. The phases are standardised in
    each step, so that they turn more slowly the further they have spread. MaCo (Fel et al., "Unlocking Feature
    Visualization for Deeper Networks with MAgnitude Constrained Optimization", NeurIPS 2023).

    The state is ``(3, height, width // 2 + 1)``: phase = π/√3 · (state − mean) / standard deviation, in radians; π/√3
    is the spread of a photo's phases, where MaCo has 1. A photo to start from provides them; where it is flat, the seed
    does.

    Args:
        spectrum: a folder of photos whose mean magnitudes to use; by default a formula fitted to photographs.

    Raises:
        ImageError: the folder has no pictures, one of them cannot be read, or there is nothing to measure in them.
    """
    bands = cache(lambda: None if spectrum is None else bands_of(spectrum))
    strengths = lru_cache(maxsize=1)(lambda height, width: magnitude(height, width, bands()))

    def init(picture, seed):
        values = from_picture(picture)
        found = spectrum_of(values + np.random.default_rng(seed).normal(0, FAINT, values.shape))
        return np.angle(found) / SPREAD

    def decode(state, height, width):
        centred = state - ops.mean(state)
        phase = _odd(SPREAD * centred / (ops.std(state) + 1e-5), width)
        strength = strengths(height, width)
        return to_picture(values_of(strength * ops.cos(phase), strength * ops.sin(phase), width))

    return Parametrization(init, decode)


def _odd(phase: Any, width: int) -> Any:
    """Return phases that a real picture can have.

    In the columns that are their own mirror image, the phase at −f is the opposite of the phase at f.
    """
    column = np.arange(width // 2 + 1)
    own = (column == 0) | (2 * column == width)
    opposite = ops.roll(ops.flip(phase, axis=1), 1, axis=1)
    return ops.where(own, (phase - opposite) / 2, phase)
