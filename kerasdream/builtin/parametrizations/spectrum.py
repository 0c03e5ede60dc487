"""Spectra of real pictures as pairs of real arrays; the half that determines the rest, ``(height, width // 2 + 1)``."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerasdream import ops


def frequencies(height: int, width: int) -> np.ndarray:
    """Return the frequency of each component in cycles per pixel: ``(height, width // 2 + 1)`` float32, 0 to 0.71."""
    down, across = np.fft.fftfreq(height).astype("float32"), np.fft.rfftfreq(width).astype("float32")
    return np.hypot(down[:, None], across)


def spectrum_of(values: np.ndarray) -> np.ndarray:
    """Return the spectrum of ``(height, width, 3)``: ``(3, height, width // 2 + 1)`` complex64."""
    import scipy.fft

    return scipy.fft.rfft2(values.transpose(2, 0, 1).astype("float32"))


def values_of(real: Any, imaginary: Any, width: int) -> Any:
    """Return the ``(height, width, 3)`` values of a spectrum ``(3, height, width // 2 + 1)``, differentiably."""
    height = real.shape[-2]
    real, imaginary = (ops.swapaxes(part, -1, -2) for part in (real, -imaginary))
    real, imaginary = ops.fft((real, imaginary))  # ifft(x) = conj(fft(conj(x))) / n
    real, imaginary = (ops.swapaxes(part, -1, -2) / height for part in (real, -imaginary))
    return ops.transpose(ops.irfft((real, imaginary), fft_length=width), (1, 2, 0))
