"""Make neighbouring panels look alike."""

from __future__ import annotations

from kerasdream import LayerName, Objective, ops


def alignment(*, layer: LayerName) -> Objective:
    """Make each panel look like the panels before and after it, so that they form a smooth sequence.

    The density is −½ Σ mean((a − b)²) over the channels, where b are the activations of each neighbouring panel.

    Source: Mordvintsev, Pezzotti, Schubert, Olah, "Differentiable Image Parameterizations", Distill 2018;
    tensorflow/lucid.

    Args:
        layer: the layer in which the panels are compared.
    """

    def density(activations):
        gaps = ops.mean(ops.square(activations[layer][1:] - activations[layer][:-1]), axis=-1)
        before, after = (ops.pad(gaps, [pair, [0, 0], [0, 0]]) for pair in ([1, 0], [0, 1]))
        return -0.5 * (before + after)

    return Objective(layer, density, compares=True)
