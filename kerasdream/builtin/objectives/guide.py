"""Guide the dream by a second picture."""

from __future__ import annotations

from pathlib import Path

from kerasdream import LayerName, Objective, ops


def guide(*, image: Path, layer: LayerName) -> Objective:
    """Draw what another picture shows: each place becomes more like the part of the guide that it resembles most.

    For the activations a at each position, g is the guide's feature vector with the largest dot product a·g, wherever
    it is in the guide. The density is mean(a ⊙ g) over the channels, so the layer's gradient is g.

    Source: Mordvintsev, Olah, Tyka 2015, google/deepdream (the guided dream of its notebook).

    Args:
        image: the guide, a picture file; it is used at most at the size of the pictures the network was trained on.
        layer: the layer whose activations are compared.
    """

    def density(activations, reference):
        vectors = ops.reshape(reference[layer], (-1, reference[layer].shape[-1]))
        likeness = ops.matmul(ops.stop_gradient(activations[layer]), ops.transpose(vectors))
        best = ops.take(vectors, ops.argmax(likeness, axis=-1), axis=0)
        return ops.mean(activations[layer] * best, axis=-1)

    return Objective(layer, density, reference=image)
