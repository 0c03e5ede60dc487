"""The style of another picture: which features occur together in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from annotated_types import MinLen

from kerasdream import LayerName, Objective, ops


def style(*, image: Path, layer: LayerName | Annotated[list[LayerName], MinLen(1)]) -> Objective:
    """Paint in the style of another picture: its colours, strokes and patterns, wherever they are in it.

    The score is −mean((G − G')²) / mean(G'²), averaged over the layers, where G is the Gram matrix aᵀa of the
    activations, divided by the number of positions, and G' the Gram matrix of the style picture; 0 is the same style.
    It is one number for each tile, so each tile takes on the style: tiles should be larger than the patterns.

    Source: Gatys, Ecker, Bethge, "A Neural Algorithm of Artistic Style", 2015, arXiv:1508.06576.

    Args:
        image: the style picture, a file; it is used at most at the size of the pictures the network was trained on.
        layer: the layer whose features are compared, or several, early to late.
    """
    layers = [layer] if isinstance(layer, str) else layer

    def score(activations, reference):
        return -sum(_distance(gram(activations[one]), gram(reference[one])) for one in layers) / len(layers)

    return Objective(layers, score, reference=image)


def gram(activation: Any) -> Any:
    """Return how often features occur together: ``(n, h, w, channels)`` -> ``(n, channels, channels)``."""
    positions = ops.cast(ops.shape(activation)[1] * ops.shape(activation)[2], "float32")
    return ops.einsum("nhwc,nhwd->ncd", activation, activation) / positions


def _distance(one: Any, other: Any) -> Any:
    scale = ops.mean(ops.square(other), axis=(1, 2))
    return ops.mean(ops.square(one - other), axis=(1, 2)) / (scale + 1e-12)
