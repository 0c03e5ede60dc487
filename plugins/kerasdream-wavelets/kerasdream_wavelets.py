"""Wavelets for kerasdream: priors for sparse detail, which is rare but strong.

A picture is split into a coarse remainder and bands of detail, each twice as coarse as the one before: the undecimated
("à trous") wavelet transform of J.-L. Starck, J. Fadili, F. Murtagh, "The Undecimated Wavelet Decomposition and its
Reconstruction", IEEE Transactions on Image Processing 16, 2007. In natural pictures most details are nearly zero and a
few, the edges, are strong: roughly a Laplacian distribution. The module has this prior in both forms.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Ge, Interval

from kerasdream import Energy, Projection, hookimpl, ops

TAPS = (1 / 4, 1 / 2, 1 / 4)


def wavelet_sparsity(*, bands: Annotated[int, Interval(ge=1, le=5)] = 3) -> Energy:
    """Prefers pictures with few details: strong ones stay, faint ones vanish.

    log p = −mean over the bands of |detail|: a Laplacian distribution of the details of each size.

    Args:
        bands: number of detail sizes, starting at 2 pixels, each twice the one before.
    """

    def log_p(picture):
        energy, fine = 0.0, picture
        for band in range(bands):
            coarse = fine
            for axis in (1, 2):
                coarse = sum(tap * _shifted(coarse, (i - 1) * 2**band, axis) for i, tap in enumerate(TAPS))
            energy += ops.mean(ops.abs(fine - coarse), axis=-1) / bands
            fine = coarse
        return -energy

    return Energy(log_p, radius=2**bands - 1)


def wavelet_shrinkage(
    *, threshold: Annotated[float, Ge(0)] = 0.02, bands: Annotated[int, Interval(ge=1, le=8)] = 3
) -> Projection:
    """Weakens each detail by a threshold after each step: faint ones, mostly noise, vanish, and edges stay sharp.

    Soft thresholding (Donoho and Johnstone 1994) is the proximal step of the prior ``wavelet_sparsity``: it
    finds the likeliest of all pictures equally close to the current one (exactly so for orthogonal wavelets; these
    overlap, which avoids block artefacts).

    Args:
        threshold: how much a detail is weakened, on a scale of -1 to 1; halved in each coarser band.
        bands: number of detail sizes, starting at 2 pixels, each twice the one before.
    """

    def apply(picture):
        from scipy.ndimage import convolve1d

        kept, fine = np.zeros_like(picture), picture
        for band in range(bands):
            kernel = np.zeros(2 * 2**band + 1)
            kernel[:: 2**band] = TAPS
            coarse = convolve1d(convolve1d(fine, kernel, axis=0), kernel, axis=1)
            detail = fine - coarse
            kept += detail - detail.clip(-threshold / 2**band, threshold / 2**band)
            fine = coarse
        return (kept + fine).clip(-1, 1)

    return Projection(apply)


def _shifted(picture, pixels, axis):
    """Return the picture shifted along an axis, with edge pixels repeated."""
    moved = ops.moveaxis(picture, axis, 0)
    if pixels > 0:
        moved = ops.concatenate([moved[pixels:], moved[-pixels:]])
    elif pixels < 0:
        moved = ops.concatenate([moved[:-pixels], moved[:pixels]])
    return ops.moveaxis(moved, 0, axis)


@hookimpl
def register_priors(register):
    register(wavelet_sparsity)
    register(wavelet_shrinkage)
