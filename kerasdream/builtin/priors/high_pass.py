"""High pass: whatever a blur would remove is unlikely."""

from __future__ import annotations

from math import comb
from typing import Annotated

from annotated_types import Interval

from kerasdream import Energy, ops
from kerasdream.builtin.filters import convolved
from kerasdream.builtin.priors.pixels import colour_mean


def high_pass(*, radius: Annotated[int, Interval(ge=1, le=16)] = 2) -> Energy:
    """Prefer pictures that a blur changes little: fine detail fades, shapes larger than the blur stay untouched.

    log p = −½ mean((x − blur(x))²): what the blur removes, the high frequencies, is Gaussian with mean zero. Lucid's
    ``blur_input_each_step`` is the same with the blurred copy held fixed; here the gradient of the blur counts too,
    which spares coarse shapes more.

    Args:
        radius: radius of the blur in pixels: a binomial filter, as wide as a Gaussian of sigma √(radius / 2).
    """
    taps = [comb(2 * radius, i) / 4**radius for i in range(2 * radius + 1)]

    def log_p(picture):
        return -0.5 * colour_mean(ops.square(picture - convolved(picture, taps)), picture)

    return Energy(log_p, radius)
