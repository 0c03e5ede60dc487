"""Smoothness: neighbouring pixels are alike, and the more they differ, the less likely it is."""

from __future__ import annotations

from typing import Literal

from kerasdream import Energy, ops
from kerasdream.builtin.priors.pixels import below, colour_mean, right_of, side_by_side


def smoothness(*, neighbours: Literal[4, 8] = 4) -> Energy:
    """Prefer soft pictures: one large difference between neighbouring pixels is far less likely than two small ones.

    log p = −½ mean((right − here)² + (below − here)²): a Gaussian Markov random field, which knows that neighbouring
    pixels are correlated and nothing else (Besag 1974; Geman and Geman 1984). Its gradient is the Laplacian of the
    picture, so climbing it is diffusion: the soft counterpart of ``gaussian_blur``.

    Args:
        neighbours: 4 compares along rows and columns; 8 also compares along the diagonals, at a quarter of the weight,
            and is equally strong in all directions.
    """

    def log_p(picture):
        here = side_by_side(picture)
        right, under = right_of(here), below(here)
        energy = ops.square(right - here) + ops.square(under - here)
        if neighbours == 8:
            energy = (4 * energy + ops.square(below(right) - here) + ops.square(under - right)) / 6
        return -0.5 * colour_mean(energy, picture)

    return Energy(log_p, radius=1)
