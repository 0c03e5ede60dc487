"""The classic objective: more of whatever a layer detects."""

from __future__ import annotations

from kerasdream import LayerName, Objective, ops


def l2(*, layer: LayerName) -> Objective:
    """Amplify whatever a layer detects: half the mean square of its activations.

    The gradient of ½·a² is a, so each feature is reinforced in proportion to its present strength. This is the
    objective of the first DeepDream notebook, which set the layer's gradient to its activations (Mordvintsev, Olah,
    Tyka 2015, google/deepdream).

    Args:
        layer: the layer to amplify.
    """

    def density(activations):
        return 0.5 * ops.mean(ops.square(activations[layer]), axis=-1)

    return Objective(layer, density)
