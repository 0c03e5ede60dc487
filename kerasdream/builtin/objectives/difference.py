"""Measure how far the dream has moved from the photo."""

from __future__ import annotations

from kerasdream import LayerName, Objective, ops


def difference(*, layer: LayerName) -> Objective:
    """Move the picture away from the photo as a layer sees it; with a negative weight, keep it close.

    The density is mean((a − s)²) over the channels, where s are the photo's activations at the same position. Its
    gradient is zero at the photo itself, so another objective is needed to start.

    Source: tensorflow/lucid (input difference), here in any layer.

    Args:
        layer: the layer in which the pictures are compared: an early one compares colours and strokes, a late one
            compares content.
    """

    def density(activations, source):
        return ops.mean(ops.square(activations[layer] - source[layer]), axis=-1)

    return Objective(layer, density, reference="source")
