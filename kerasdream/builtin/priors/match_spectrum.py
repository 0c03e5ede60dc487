"""Give the dream the spectrum of natural pictures after each step."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from kerasdream import Projection

FINENESS = 3
"""Bands per octave in which the amplitude is measured."""

ROUNDING = 1e-4
"""Amplitudes below this, on a scale of -1 to 1, are rounding errors; they are not amplified."""


def match_spectrum(
    *, exponent: Annotated[float, Interval(ge=0, le=3)] = 1.0, amount: Annotated[float, Interval(ge=0, le=1)] = 0.1
) -> Projection:
    """Pull the amplitudes of the whole picture's frequencies towards 1/fᵃ after each step, as in natural pictures.

    Coarse shapes gain and fine detail loses, or the reverse; the mean, the contrast and the directions of lines stay.
    Nearly all pictures drawn from the prior ``spectrum`` have such amplitudes: this projection moves the dream to one
    of them, where the energy alone would move it to grey. MaCo (Fel et al. 2023) fixes each amplitude; here only their
    average over directions is fixed, which leaves a photo recognisable. Frequencies are those of the cosine transform:
    the picture is mirrored at its edges.

    Args:
        exponent: a: 1 for photographs; larger for softer pictures, 0 for white noise.
        amount: share of the change, on a logarithmic scale: 0 changes nothing, 1 sets the spectrum at once.
    """

    def apply(picture):
        from scipy.fft import dctn, idctn

        waves = dctn(picture, axes=(0, 1), norm="ortho")
        power = np.square(waves).mean(axis=2)
        power[0, 0] = 0  # the mean is not a wave
        if not power.any():
            return picture
        factor = gain(power, exponent) ** amount
        factor *= np.sqrt(power.sum() / (power * factor**2).sum())
        factor[0, 0] = 1
        return idctn(waves * factor[..., None].astype("float32"), axes=(0, 1), norm="ortho").clip(-1, 1)

    return Projection(apply)


def gain(power: np.ndarray, exponent: float) -> np.ndarray:
    """Return the factors that make the amplitudes 1/fᵃ on average over directions, up to scale; ``(height, width)``."""
    height, width = power.shape
    octave = np.hypot(np.arange(height)[:, None] / height, np.arange(width) / width) * max(height, width)
    octave[0, 0] = 1
    octave = np.log2(octave)  # above the lowest frequency
    band = np.rint(octave * FINENESS).astype(int).ravel()
    band[0] = band.max() + 1  # a band of its own for the mean
    pixels, powers, octaves = (np.bincount(band, of)[:-1] for of in (None, power.ravel(), octave.ravel()))
    filled = pixels > 0
    amplitude = np.sqrt(powers[filled] / pixels[filled])
    place = octaves[filled] / pixels[filled]
    return 2 ** -np.interp(octave, place, np.log2(np.maximum(amplitude, ROUNDING)) + exponent * place)
