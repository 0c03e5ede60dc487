"""The picture as its spectrum: coarse structures grow first, without grain."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated

import numpy as np
from annotated_types import Ge

from kerasdream import Parametrization
from kerasdream.builtin.parametrizations.colour import from_picture, to_picture
from kerasdream.builtin.parametrizations.spectrum import frequencies, spectrum_of, values_of


def fourier(*, decay: Annotated[float, Ge(0)] = 1.0, decorrelate: bool = True) -> Parametrization:
    """Optimise the picture's spectrum: steps change coarse structures more than fine ones, as in photographs.

    values = inverse FFT(s · state), with s(f) = √(height · width) / 4 / max(f, 1 / max(height, width)) ^ decay and f in
    cycles per pixel; picture = 2 · sigmoid(values · Mᵀ) − 1, with M the square root of the covariance of ImageNet's
    colours. From Lucid (Olah et al., "Feature Visualization", Distill 2017).

    The state is ``(2, 3, height, width // 2 + 1)``: the real and the imaginary part of each colour.

    Args:
        decay: how much weaker fine structures are; 0 treats all equally, as pixels do, 1 follows photographs.
        decorrelate: whether to use uncorrelated colours, so that hues grow as readily as brightness.
    """

    @lru_cache(maxsize=1)
    def scale(height: int, width: int) -> np.ndarray:
        lowest = np.maximum(frequencies(height, width), np.float32(1 / max(height, width)))
        return lowest**-decay * np.float32((height * width) ** 0.5 / 4)

    def init(picture, seed):
        spectrum = spectrum_of(from_picture(picture, decorrelate)) / scale(*picture.shape[:2])
        return np.stack([spectrum.real, spectrum.imag])

    def decode(state, height, width):
        scaled = state * scale(height, width)
        return to_picture(values_of(scaled[0], scaled[1], width), decorrelate)

    return Parametrization(init, decode)
