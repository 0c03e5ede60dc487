"""Building blocks of energies of pixels: neighbours, and the mean over the colours, fast on a short last axis."""

from __future__ import annotations

from typing import Any

from kerasdream import ops


def side_by_side(picture: Any) -> Any:
    """Return a picture with its colours in one row: ``(n, height, width, 3)`` -> ``(n, height, width * 3)``."""
    n, height, width, colours = ops.shape(picture)
    return ops.reshape(picture, (n, height, width * colours))


def right_of(flat: Any, colours: int = 3) -> Any:
    """Return each pixel's neighbour to the right; in the last column, the pixel itself."""
    return ops.concatenate([flat[:, :, colours:], flat[:, :, -colours:]], axis=2)


def below(flat: Any) -> Any:
    """Return each pixel's neighbour below; in the last row, the pixel itself."""
    return ops.concatenate([flat[:, 1:], flat[:, -1:]], axis=1)


def colour_mean(values: Any, picture: Any) -> Any:
    """Return the mean over the colours, ``(n, height, width)``, of values in any layout of the picture's pixels."""
    n, height, width, colours = ops.shape(picture)
    # A matrix product: a mean over a short last axis takes twice as long.
    means = ops.reshape(values, (-1, colours)) @ (ops.ones((colours, 1)) / colours)
    return ops.reshape(means, (n, height, width))
