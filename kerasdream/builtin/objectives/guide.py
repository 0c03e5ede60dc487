"""Guide the dream by other pictures."""

from __future__ import annotations

from kerasdream import LayerName, Objective, PictureFiles, ops


def guide(*, image: PictureFiles, layer: LayerName) -> Objective:
    """Draw what another picture shows: each place becomes more like the part of the guide that it resembles most.

    For the activations a at each position, g is the guide's feature vector with the largest dot product a·g, wherever
    it is in the guide, or in any of several guides. The density is mean(a ⊙ g) over the channels, so the layer's
    gradient is g.

    Source: Mordvintsev, Olah, Tyka 2015, google/deepdream (the guided dream of its notebook).

    Args:
        image: the guide, a picture file; or several: a folder, a pattern such as guides/*.jpg, or a list. Each is used
            at most at the size of the pictures the network was trained on.
        layer: the layer whose activations are compared.
    """

    def vectors(guides):
        return ops.concatenate([ops.reshape(one[layer], (-1, one[layer].shape[-1])) for one in guides])

    def density(activations, vectors):
        likeness = ops.matmul(ops.stop_gradient(activations[layer]), ops.transpose(vectors))
        best = ops.take(vectors, ops.argmax(likeness, axis=-1), axis=0)
        return ops.mean(activations[layer] * best, axis=-1)

    return Objective(layer, density, reference=image, summary=vectors)
