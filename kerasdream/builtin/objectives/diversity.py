"""Make panels differ from each other."""

from __future__ import annotations

from kerasdream import LayerName, Objective, ops
from kerasdream.builtin.objectives.style import gram


def diversity(*, layer: LayerName) -> Objective:
    """Make the panels differ in style, to show everything a channel or class responds to, not only its favourite.

    Each picture scores minus the mean cosine between its Gram matrix and the Gram matrices of the others: −1 where all
    are alike.

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017 (diversity); tensorflow/lucid.

    Args:
        layer: the layer whose features are compared.
    """

    def score(activations):
        count = ops.shape(activations[layer])[0]
        styles = ops.reshape(gram(activations[layer]), (count, -1))
        units = styles * ops.rsqrt(ops.sum(ops.square(styles), axis=-1, keepdims=True) + 1e-12)
        likeness = ops.sum(ops.matmul(units, ops.transpose(units)), axis=-1) - ops.sum(ops.square(units), axis=-1)
        return -likeness / ops.cast(ops.maximum(count - 1, 1), "float32")

    return Objective(layer, score, compares=True)
