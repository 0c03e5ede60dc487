"""The spectrum of natural pictures, given to the dream after each step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from annotated_types import Interval

from kerasdream.components import Projection

if TYPE_CHECKING:
    import numpy as np

FINENESS = 3
"""Bands an octave in which the amplitude is measured."""

ROUNDING = 1e-4
"""Amplitudes below this, on a scale of -1 to 1, are rounding; they are not made larger."""


def match_spectrum(
    *, exponent: Annotated[float, Interval(ge=0, le=3)] = 1.0, amount: Annotated[float, Interval(ge=0, le=1)] = 0.1
) -> Projection:
    """Pulls the amplitudes of the whole picture's frequencies towards 1/fᵃ after each step, as in natural pictures.

    Coarse shapes gain and fine detail loses, or the other way round; mean, contrast and the directions of lines stay.
    Nearly all pictures drawn from the prior ``spectrum`` have such amplitudes: this takes the dream to one of those,
    where the energy alone takes it to grey. MaCo (Fel et al. 2023) fixes each amplitude; here it is their average over
    directions, which leaves a photo what it is. Frequencies are those of the cosine transform: at its edges the
    picture is mirrored.

    Args:
        exponent: a: 1 for photographs; larger for softer pictures, 0 for white noise.
        amount: share of the way, on a logarithmic scale: 0 changes nothing, 1 gives the spectrum at once.
    """

    def apply(picture):
        import numpy as np
        from scipy.fft import dctn, idctn

        waves = dctn(picture, axes=(0, 1), norm="ortho")
        power = np.square(waves).mean(axis=2)
        power[0, 0] = 0  # the mean is no wave
        if not power.any():
            return picture
        factor = gain(power, exponent) ** amount
        factor *= np.sqrt(power.sum() / (power * factor**2).sum())
        factor[0, 0] = 1
        return idctn(waves * factor[..., None].astype("float32"), axes=(0, 1), norm="ortho").clip(-1, 1)

    return Projection(apply)


def gain(power: np.ndarray, exponent: float) -> np.ndarray:
    """Returns what makes the amplitudes 1/fᵃ on average over directions, up to a factor; ``(height, width)``."""
    import numpy as np

    height, width = power.shape
    octave = np.hypot(np.arange(height)[:, None] / height, np.arange(width) / width) * max(height, width)
    octave[0, 0] = 1
    octave = np.log2(octave)  # above the lowest frequency
    band = np.rint(octave * FINENESS).astype(int).ravel()
    band[0] = band.max() + 1  # the mean, alone
    pixels, powers, octaves = (np.bincount(band, of)[:-1] for of in (None, power.ravel(), octave.ravel()))
    there = pixels > 0
    amplitude = np.sqrt(powers[there] / pixels[there])
    place = octaves[there] / pixels[there]
    return 2 ** -np.interp(octave, place, np.log2(np.maximum(amplitude, ROUNDING)) + exponent * place)
