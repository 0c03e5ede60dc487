"""The style of other pictures: which features occur together in them, or how often each is how strong."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from annotated_types import MinLen

from kerasdream import LayerName, Objective, PictureFiles, ops


def style(
    *,
    image: PictureFiles,
    layer: LayerName | Annotated[list[LayerName], MinLen(1)],
    match: Literal["gram", "sorted"] = "gram",
) -> Objective:
    """Paint in the style of another picture: its colours, strokes and patterns, wherever they are in it.

    The score is −mean((G − G')²) / mean(G'²), averaged over the layers; 0 is the same style. With match: gram, G is the
    Gram matrix aᵀa of the activations, divided by the number of positions: which features occur together. With
    match: sorted, G are the activations of each channel, sorted over the positions: how often each feature is how
    strong. G' is the same of the style picture, or its mean over several. The score is one number for each tile or
    crop, so each takes on the style of the whole picture: tiles should be larger than the patterns.

    Source: Gatys, Ecker, Bethge, "A Neural Algorithm of Artistic Style", 2015, arXiv:1508.06576. Sorted: Görgün,
    Schiele, Fischer, "VITAL", ICCV 2025, arXiv:2503.22399, with 50 photos; Heitz et al., "A Sliced Wasserstein Loss for
    Neural Texture Synthesis", CVPR 2021, arXiv:2006.07229, along each channel.

    Args:
        image: the style picture, a file; or several: a folder, a pattern such as paintings/*.jpg, or a list. Each is
            used at most at the size of the pictures the network was trained on.
        layer: the layer whose features are compared, or several, early to late.
        match: gram compares which features occur together; sorted compares the distribution of each.
    """
    layers = [layer] if isinstance(layer, str) else layer
    measure, fitted = {"gram": (gram, _same), "sorted": (quantiles, resampled)}[match]

    def target(pictures):
        mean: dict[str, Any] = {}
        for number, picture in enumerate(pictures):
            for one in layers:
                found = measure(picture[one])
                mean[one] = mean[one] + (fitted(found, mean[one]) - mean[one]) / (number + 1) if number else found
        return mean

    def score(activations, target):
        return -sum(_distance(measure(activations[one]), target[one], fitted) for one in layers) / len(layers)

    return Objective(layers, score, reference=image, summary=target)


def gram(activation: Any) -> Any:
    """Return how often features occur together: ``(n, h, w, channels)`` -> ``(n, channels, channels)``."""
    positions = ops.cast(ops.shape(activation)[1] * ops.shape(activation)[2], "float32")
    return ops.einsum("nhwc,nhwd->ncd", activation, activation) / positions


def quantiles(activation: Any) -> Any:
    """Sort the activations of each channel, smallest first: ``(n, h, w, channels)`` -> ``(n, h · w, channels)``."""
    return ops.sort(ops.reshape(activation, (ops.shape(activation)[0], -1, activation.shape[-1])), axis=1)


def resampled(values: Any, like: Any) -> Any:
    """Return quantiles ``(1, m, channels)`` at the ranks of ``(n, k, channels)``: ``(1, k, channels)``.

    Rank i of k is the fraction (i + ½) / k; between two ranks, values are interpolated.
    """
    count, wanted = ops.shape(values)[1], ops.shape(like)[1]
    scale = ops.cast(count, "float32") / ops.cast(wanted, "float32")
    place = (ops.cast(ops.arange(wanted), "float32") + 0.5) * scale - 0.5
    place = ops.clip(place, 0.0, ops.cast(count - 1, "float32"))
    lower = ops.cast(ops.floor(place), "int32")
    share = (place - ops.floor(place))[None, :, None]
    upper = ops.minimum(lower + 1, count - 1)
    return (1 - share) * ops.take(values, lower, axis=1) + share * ops.take(values, upper, axis=1)


def _same(values: Any, like: Any) -> Any:
    return values


def _distance(one: Any, other: Any, fitted: Any) -> Any:
    scale = ops.mean(ops.square(other), axis=(1, 2))
    return ops.mean(ops.square(one - fitted(other, one)), axis=(1, 2)) / (scale + 1e-12)
