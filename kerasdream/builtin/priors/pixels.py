"""What energies of pixels are written with: neighbours, and the mean over the colours, quick on a short last axis."""

from __future__ import annotations

from typing import Any

from kerasdream import ops


def side_by_side(picture: Any) -> Any:
    """Returns a picture's colours side by side in a row: ``(n, height, width, 3)`` -> ``(n, height, width * 3)``."""
    n, height, width, colours = ops.shape(picture)
    return ops.reshape(picture, (n, height, width * colours))


def right_of(flat: Any, colours: int = 3) -> Any:
    """Returns each pixel's neighbour to the right; in the last column, the pixel itself."""
    return ops.concatenate([flat[:, :, colours:], flat[:, :, -colours:]], axis=2)


def below(flat: Any) -> Any:
    """Returns each pixel's neighbour below; in the last row, the pixel itself."""
    return ops.concatenate([flat[:, 1:], flat[:, -1:]], axis=1)


def colour_mean(values: Any, picture: Any) -> Any:
    """Returns the mean over the colours, ``(n, height, width)``, of values in any layout of the picture's pixels.

    It is a product of matrices: a mean over a short last axis takes twice as long.
    """
    n, height, width, colours = ops.shape(picture)
    means = ops.reshape(values, (-1, colours)) @ (ops.ones((colours, 1)) / colours)
    return ops.reshape(means, (n, height, width))
