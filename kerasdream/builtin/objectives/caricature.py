"""Exaggerate the photo's own features."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import LayerName, Objective
from kerasdream.builtin.objectives.vectors import dot_cosine


def caricature(*, layer: LayerName, power: Annotated[float, Ge(0)] = 1.0) -> Objective:
    """Exaggerate what a layer sees in the photo, and stay with it: more of what was there at the start.

    The density is mean(a ⊙ s) · max(0.1, cos(a, s))^power, where a are the activations at a position and s the photo's
    activations at the same position. The objective ``l2`` amplifies what the dream shows now; this one amplifies what
    the photo showed.

    Source: tensorflow/lucid (caricatures; the cosine as in its direction_cossim).

    Args:
        layer: the layer to exaggerate.
        power: how strictly the dream keeps to the photo's mixture of features; 0: not at all.
    """

    def density(activations, source):
        return dot_cosine(activations[layer], source[layer], power) / activations[layer].shape[-1]

    return Objective(layer, density, reference="source")
