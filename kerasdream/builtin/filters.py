"""Filters of pictures that can be traced, with mirrored edges."""

from __future__ import annotations

from math import ceil
from typing import Any

from kerasdream import ops

REACH = 4
"""A Gaussian is cut off at this many standard deviations, as scipy.ndimage does."""

TINY = 1e-6
"""Replaces a standard deviation of zero: nothing is blurred, and nothing divided by zero."""


def gaussian(pictures: Any, sigma: Any, widest: float | None = None) -> Any:
    """Blur pictures; they are mirrored at their edges.

    Args:
        pictures: ``(n, height, width, channels)`` float32.
        sigma: standard deviation in pixels, from 0: a number or a scalar tensor.
        widest: the largest possible ``sigma`` if it is a tensor in a trace that XLA compiles, which must know all
            sizes; None: the size of the kernel follows ``sigma``.
    """
    fixed = sigma if isinstance(sigma, (int, float)) else widest
    reach = ops.cast(ops.ceil(REACH * sigma), "int32") if fixed is None else ceil(REACH * fixed)
    offsets = ops.cast(ops.arange(-reach, reach + 1), "float32")
    kernel = ops.exp(-0.5 * ops.square(offsets / ops.maximum(sigma, TINY)))
    return convolved(pictures, kernel / ops.sum(kernel))


def convolved(pictures: Any, taps: Any) -> Any:
    """Filter pictures along rows and along columns; they are mirrored at their edges.

    Args:
        pictures: ``(n, height, width, channels)`` float32.
        taps: the filter, ``(2 * reach + 1,)``, symmetric.
    """
    taps = ops.convert_to_tensor(taps, "float32")
    reach = ops.shape(taps)[0] // 2
    _, height, width, channels = ops.shape(pictures)
    kernel = ops.repeat(taps[:, None, None], channels, axis=1)
    pictures = ops.take(pictures, mirrored(ops.arange(-reach, height + reach), height), axis=1)
    pictures = ops.depthwise_conv(pictures, kernel[:, None])
    pictures = ops.take(pictures, mirrored(ops.arange(-reach, width + reach), width), axis=2)
    return ops.depthwise_conv(pictures, kernel[None])


def mirrored(position: Any, size: Any) -> Any:
    """Fold positions back into 0 ... ``size`` - 1: beyond its edges an axis continues as its mirror image.

    Args:
        position: tensor of whole or fractional positions.
        size: size of the axis in pixels, of the same type.
    """
    last = size - 1
    return last - ops.abs(position % ops.maximum(2 * last, 1) - last)
