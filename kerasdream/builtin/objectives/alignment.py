"""Neighbouring panels that look alike."""

from __future__ import annotations

from kerasdream import ops
from kerasdream.components import LayerName, Objective


def alignment(*, layer: LayerName) -> Objective:
    """Makes the picture of each panel look like those before and after it, so that they form a smooth sequence.

    The density is −½ Σ mean((a − b)²) over the channels, with b the activations of either neighbour.

    Source: Mordvintsev, Pezzotti, Schubert, Olah, "Differentiable Image Parameterizations", Distill 2018;
    tensorflow/lucid.

    Args:
        layer: the layer in which they are alike.
    """

    def density(activations):
        gaps = ops.mean(ops.square(activations[layer][1:] - activations[layer][:-1]), axis=-1)
        before, after = (ops.pad(gaps, [pair, [0, 0], [0, 0]]) for pair in ([1, 0], [0, 1]))
        return -0.5 * (before + after)

    return Objective(layer, density, compares=True)
