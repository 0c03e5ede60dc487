"""The mean activation of a layer."""

from __future__ import annotations

from kerasdream import LayerName, Objective, ops


def mean(*, layer: LayerName) -> Objective:
    """Raise the mean activation of a layer: all its features alike, present or not.

    The objective of TensorFlow's DeepDream tutorial.

    Args:
        layer: the layer whose activations are raised.
    """

    def density(activations):
        return ops.mean(activations[layer], axis=-1)

    return Objective(layer, density)
