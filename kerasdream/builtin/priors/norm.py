"""Norms of the picture: pixels near grey are more likely than extreme ones."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge, Interval

from kerasdream import Energy, ops
from kerasdream.builtin.priors.pixels import colour_mean


def norm(*, p: Annotated[float, Ge(1)] = 2.0, grey: Annotated[float, Interval(ge=-1, le=1)] = 0.0) -> Energy:
    """Prefer pixels near grey, each independently: what nothing keeps up fades away.

    log p = −mean(|x − grey|ᵖ) / p: independent pixels of a generalised normal distribution. p = 1 is the Laplacian: it
    pulls all pixels equally and lets a few stand out. p = 2 is the Gaussian, the weight decay of Simonyan, Vedaldi and
    Zisserman 2013. p = 6 (Mahendran and Vedaldi 2015) hardly pulls except at the bright and the dark end.

    Args:
        p: the power, from 1; ``infinity_norm`` is its limit.
        grey: the most likely level, on a scale of -1 to 1.
    """

    def log_p(picture):
        return -colour_mean(ops.abs(picture - grey) ** p, picture) / p

    return Energy(log_p, radius=0)


def infinity_norm(
    *,
    bound: Annotated[float, Interval(ge=0, le=1)] = 0.7,
    grey: Annotated[float, Interval(ge=-1, le=1)] = 0.0,
) -> Energy:
    """Prefer pictures without extreme pixels: within the bound all are equally likely, beyond it less and less.

    log p = −½ mean(max(0, |x − grey| − bound)²). The L∞ norm, the largest deviation in the picture, is not a sum over
    pixels, but the pictures within a bound of it form a ball that constrains each pixel alike. This is the uniform
    distribution over that ball, with walls that are Gaussian rather than infinite, so that there is a way back in.

    Args:
        bound: the largest deviation from grey without a penalty, on a scale of 0 to 1.
        grey: the centre of the ball, on a scale of -1 to 1.
    """

    def log_p(picture):
        beyond = ops.relu(ops.abs(picture - grey) - bound)
        return -0.5 * colour_mean(ops.square(beyond), picture)

    return Energy(log_p, radius=0)
