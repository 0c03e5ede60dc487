"""How far the dream has moved from the photo."""

from __future__ import annotations

from kerasdream import ops
from kerasdream.components import LayerName, Objective


def difference(*, layer: LayerName) -> Objective:
    """Moves the picture away from the photo as a layer sees it; with a negative weight, holds it near.

    The density is mean((a − s)²) over the channels, with s the photo's activations at the same position. Its slope is
    zero at the photo itself: it needs another objective beside it to start.

    Source: tensorflow/lucid (input difference), here in any layer.

    Args:
        layer: the layer in which the pictures are compared; an early one compares colours and strokes, a late one
            what is shown.
    """

    def density(activations, source):
        return ops.mean(ops.square(activations[layer] - source[layer]), axis=-1)

    return Objective(layer, density, reference="source")
