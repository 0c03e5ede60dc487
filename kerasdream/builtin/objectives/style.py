"""The style of another picture: which features occur together in it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import MinLen

from kerasdream import ops
from kerasdream.components import LayerName, Objective, Tensor


def style(*, image: Path, layer: LayerName | Annotated[list[LayerName], MinLen(1)]) -> Objective:
    """Paints with the style of another picture: its colours, strokes and patterns, wherever they were in it.

    The score is −mean((G − G')²) / mean(G'²), averaged over the layers: G is the Gram matrix aᵀa of the activations,
    divided by the number of positions, and G' that of the style picture; 0 is the same style. It is one number for each
    tile, so each tile takes on the style: tiles should be larger than the patterns.

    Source: Gatys, Ecker, Bethge, "A Neural Algorithm of Artistic Style", 2015, arXiv:1508.06576.

    Args:
        image: the picture whose style is taken; it is seen no larger than the pictures the network was trained on.
        layer: the layer whose features are counted, or several, early to late.
    """
    layers = [layer] if isinstance(layer, str) else layer

    def score(activations, reference):
        return -sum(_distance(gram(activations[one]), gram(reference[one])) for one in layers) / len(layers)

    return Objective(layers, score, reference=image)


def gram(activation: Tensor) -> Tensor:
    """Returns how often features occur together: ``(n, h, w, channels)`` -> ``(n, channels, channels)``."""
    positions = ops.cast(ops.shape(activation)[1] * ops.shape(activation)[2], "float32")
    return ops.einsum("nhwc,nhwd->ncd", activation, activation) / positions


def _distance(one: Tensor, other: Tensor) -> Tensor:
    scale = ops.mean(ops.square(other), axis=(1, 2))
    return ops.mean(ops.square(one - other), axis=(1, 2)) / (scale + 1e-12)
