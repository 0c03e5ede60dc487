"""A direction in a layer's feature space: a mixture of its channels."""

from __future__ import annotations

from kerasdream import ops
from kerasdream.builtin.objectives.vectors import Direction, Fraction, numbers_of, point, vector
from kerasdream.components import LayerName, Objective


def direction(
    *,
    layer: LayerName,
    direction: Direction,
    x: Fraction | None = None,
    y: Fraction | None = None,
) -> Objective:
    """Draws what a mixture of channels looks for: raises the layer's activations along a direction.

    The density is the dot product of the activations at each position with the direction. A concept is often a
    direction rather than one channel: the mean activation of photos that show it, minus that of others.

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017; tensorflow/lucid.

    Args:
        layer: the layer to look at.
        direction: a number for each of its channels; or channels and their numbers, {7: 1, 40: -0.5}; or a .npy file.
        x: only at this place, from the left edge of the picture, 0, to the right, 1; everywhere if x and y are null.
        y: only at this place, from the top, 0, to the bottom, 1.

    Raises:
        ConfigError: the file cannot be read, or its numbers are no direction.
        ModelError: the layer has another number of channels.
    """
    numbers = numbers_of(direction)

    def density(activations):
        return ops.sum(activations[layer] * vector(numbers, layer, activations[layer].shape[-1]), axis=-1)

    return Objective(layer, density, at=point(x, y))
