"""Spectrum: as in natural pictures, the higher a frequency, the smaller its amplitude."""

from __future__ import annotations

from math import pi
from typing import Annotated

import numpy as np
from annotated_types import Interval

from kerasdream import Energy, ops
from kerasdream.builtin.filters import convolved
from kerasdream.builtin.priors.pixels import colour_mean

CENTRE = 0.65 * pi
"""The frequency, in radians per pixel, at which the finest band is fitted; the next band is fitted at half of it."""


def spectrum(
    *, exponent: Annotated[float, Interval(ge=0.25, le=1.5)] = 1.0, bands: Annotated[int, Interval(ge=1, le=6)] = 4
) -> Energy:
    """Prefer the spectrum of natural pictures, in which the amplitude of a frequency f falls as 1/fᵃ.

    log p = −½ Σ f²ᵃ |X(f)|², with f in radians per pixel and the sum as a mean over the pixels: a Gaussian with a
    standard deviation of 1/fᵃ at each frequency (a is about 1 in photographs: Field 1987; Ruderman and Bialek 1994).
    For a = 1 it is ``smoothness``.

    To be local, the prior divides the picture into bands of an octave each: differences of a blur and one twice as
    wide. Their squares are added with weights that make the sum follow f²ᵃ: its root is within a fifth of fᵃ (within
    8 % for a = 1) from π/2^bands to ¾π radians per pixel; the very highest frequencies count up to a third less, and
    lower ones are free.

    Args:
        exponent: a. With 0.25 coarse shapes are held back nearly as much as fine detail; with 1.5 hardly anything
            except fine detail is.
        bands: octaves of frequencies. A pixel matters up to 2^bands − 1 pixels away.
    """
    frequencies = CENTRE / 2.0 ** np.arange(bands)
    angles = np.linspace(0, pi / 2, 33)
    gains = response(np.outer(frequencies, np.cos(angles)), np.outer(frequencies, np.sin(angles)), bands).mean(axis=2)
    # weights with gains.T @ weights = f²ᵃ: at these frequencies the sum is exact, on average over directions
    fit = np.linalg.inv(gains.T).astype("float32")

    def log_p(picture):
        weights = ops.matmul(fit, ops.convert_to_tensor(frequencies, "float32") ** (2 * exponent))
        energy, fine = 0.0, picture
        for band in range(bands):
            coarse = convolved(fine, blur(2**band))
            energy += weights[band] * ops.square(fine - coarse)
            fine = coarse
        return -0.5 * colour_mean(energy, picture)

    return Energy(log_p, radius=2**bands - 1)


def blur(width: int) -> np.ndarray:
    """Return the filter that separates two bands: 1/4, 1/2, 1/4, ``width`` pixels apart.

    The distance doubles from one band to the next, with zeros in between: the algorithme à trous of Holschneider et al.
    1989.
    """
    taps = np.zeros(2 * width + 1, "float32")
    taps[::width] = 0.25, 0.5, 0.25
    return taps


def response(rows: np.ndarray, columns: np.ndarray, bands: int) -> np.ndarray:
    """Return how much of the power of a frequency each band lets through.

    Args:
        rows, columns: the frequency along both axes, in radians per pixel, of the same shape.

    Returns:
        Shares of 1, ``(bands, *shape)``.
    """
    coarser, shares = np.ones_like(rows), []
    for band in range(bands):
        finer, width = coarser, 2**band / 2
        coarser = finer * np.cos(rows * width) ** 2 * np.cos(columns * width) ** 2
        shares.append((finer - coarser) ** 2)
    return np.stack(shares)
