"""A direction in a layer's feature space, and as little as possible beside it."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream.builtin.objectives.vectors import Direction, Fraction, dot_cosine, numbers_of, point, vector
from kerasdream.components import LayerName, Objective


def cosine(
    *,
    layer: LayerName,
    direction: Direction,
    power: Annotated[float, Ge(0)] = 2.0,
    x: Fraction | None = None,
    y: Fraction | None = None,
) -> Objective:
    """Draws a mixture of channels in its pure form: raises the activations along a direction, and little else.

    The density is a·v · max(0.1, cos(a, v))^power, with a the activations at a position and v the direction: the dot
    product alone also grows by exciting everything, the cosine alone does not care how weak it is.

    Source: tensorflow/lucid (direction_cossim, with cossim_pow).

    Args:
        layer: the layer to look at.
        direction: a number for each of its channels; or channels and their numbers, {7: 1, 40: -0.5}; or a .npy file.
        power: how much the angle counts; 0: not at all, as in the objective direction.
        x: only at this place, from the left edge of the picture, 0, to the right, 1; everywhere if x and y are null.
        y: only at this place, from the top, 0, to the bottom, 1.

    Raises:
        ConfigError: the file cannot be read, or its numbers are no direction.
        ModelError: the layer has another number of channels.
    """
    numbers = numbers_of(direction)

    def density(activations):
        return dot_cosine(activations[layer], vector(numbers, layer, activations[layer].shape[-1]), power)

    return Objective(layer, density, at=point(x, y))
