"""Draw a direction in a layer's feature space: a mixture of its channels."""

from __future__ import annotations

from kerasdream import LayerName, Objective, ops
from kerasdream.builtin.objectives.vectors import Direction, Fraction, along


def direction(
    *,
    layer: LayerName,
    direction: Direction,
    x: Fraction | None = None,
    y: Fraction | None = None,
) -> Objective:
    """Draw what a mixture of channels looks for: raise the layer's activations along a direction.

    The density is the dot product of the direction and the activations at each position. A concept is often a direction
    rather than a single channel; the command kerasdream concept learns one from your photos.

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017; tensorflow/lucid.

    Args:
        layer: the layer to look at.
        direction: one number per channel; or channels and their numbers, {7: 1, 40: -0.5}; or a .npy file.
        x: look only at this place, from 0, the picture's left edge, to 1, its right edge; everywhere if x and y are
            null.
        y: look only at this place, from 0, the top, to 1, the bottom.

    Raises:
        ConfigError: the file cannot be read, or its numbers are not a direction.
        ModelError: the layer has a different number of channels.
    """
    return along(layer, direction, lambda activation, vector: ops.sum(activation * vector, axis=-1), x, y)
