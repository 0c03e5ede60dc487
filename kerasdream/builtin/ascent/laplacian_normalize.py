"""Equal strength for coarse and fine structures: normalise the gradient band by band."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import Rule, ops
from kerasdream.builtin.ascent.normalize import TINY
from kerasdream.builtin.ascent.pictures import require_picture
from kerasdream.builtin.filters import mirrored

DOWN = 1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16
"""The blur applied before every other pixel is dropped."""

UP = 1 / 8, 3 / 8, 3 / 8, 1 / 8
"""On pixels that are each repeated once, this is the blur ``DOWN`` on pixels with zeros in between, times 2."""


def laplacian_normalize(*, levels: Annotated[int, Interval(ge=1, le=12)] = 4) -> Rule:
    """Make coarse and fine structures of the gradient equally strong, so that grain no longer drowns large shapes.

    The gradient is split into a Laplacian pyramid (Burt and Adelson 1983): band i = gᵢ − up(down(gᵢ)) with
    gᵢ₊₁ = down(gᵢ), plus the rest at the end. Each band is divided by its root mean square, and all are added up
    again. Down blurs with the binomial kernel 1 4 6 4 1 in both directions and keeps every other pixel; up inserts
    zeros and blurs, times 4; edges are mirrored. From TensorFlow's DeepDream notebook of 2015 (Mordvintsev). It
    replaces ``normalize``; the notebook's step of 1 of 255 levels is a ``rate`` of 0.008.

    Args:
        levels: bands apart from the coarsest rest; each is twice as coarse as the one before. 4 reaches structures of
            about 32 pixels.
    """

    def update(gradient, memory, state):
        bands, rest = [], gradient[None]
        for _ in range(levels):
            coarse = _down(rest)
            bands.append(rest - _up(coarse, like=rest))
            rest = coarse
        total = _unit(rest)
        for band in reversed(bands):
            total = _up(total, like=band) + _unit(band)
        return total[0], memory

    return Rule(update, init=lambda state: require_picture(state, "laplacian_normalize"))


def _unit(band):
    return band / (ops.sqrt(ops.mean(ops.square(band))) + TINY)


def _down(picture):
    """Return a picture at half its size, rounded up: the first pixel of both axes is kept."""
    _, height, width, _ = ops.shape(picture)
    return _blurred(picture, ops.arange(-2, height + 2), ops.arange(-2, width + 2), DOWN, stride=2)


def _up(picture, like):
    """Return a picture at twice its size, in the shape of the one that ``_down`` made it from."""
    _, height, width, _ = ops.shape(like)
    return _blurred(picture, ops.arange(-1, height + 2) // 2, ops.arange(-1, width + 2) // 2, UP)


def _blurred(picture, rows, columns, kernel, stride=1):
    """Blur the picture that consists of these rows and columns of another."""
    _, height, width, channels = ops.shape(picture)
    picture = ops.take(picture, mirrored(rows, height), axis=1)
    picture = ops.take(picture, mirrored(columns, width), axis=2)
    kernel = ops.outer(ops.convert_to_tensor(kernel), ops.convert_to_tensor(kernel))
    return ops.depthwise_conv(picture, ops.repeat(kernel[:, :, None, None], channels, axis=2), strides=stride)
