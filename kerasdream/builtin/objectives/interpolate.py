"""Lead from one channel to another, panel by panel."""

from __future__ import annotations

from typing import Annotated, Any

from annotated_types import Ge

from kerasdream import LayerName, Objective, ops
from kerasdream.builtin.objectives.channel import mean_of


def interpolate(
    *,
    layer: LayerName,
    channel: Annotated[int, Ge(0)],
    to_layer: LayerName,
    to_channel: Annotated[int, Ge(0)],
) -> Objective:
    """Lead from one channel to another: the first panel shows the first channel, the last panel the other.

    Picture i of n raises (1 − t) · a + t · b, where a and b are the two channels and t = i / (n − 1).

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017; tensorflow/lucid (channel_interpolate).

    Args:
        layer: the layer of the first picture's channel.
        channel: its index, from 0.
        to_layer: the layer of the last picture's channel.
        to_channel: its index, from 0.

    Raises:
        ModelError: a layer has fewer channels.
    """

    def start(activations):
        return (1 - _share(activations[layer])) * mean_of(layer, activations[layer], [channel])

    def end(activations):
        return _share(activations[to_layer]) * mean_of(to_layer, activations[to_layer], [to_channel])

    return Objective(layer, start, compares=True) + Objective(to_layer, end, compares=True)


def _share(activation: Any) -> Any:
    """Return the position of each picture in the sequence of panels, from 0 to 1, ``(n, 1, 1)``."""
    count = ops.shape(activation)[0]
    share = ops.cast(ops.arange(count), "float32") / ops.cast(ops.maximum(count - 1, 1), "float32")
    return share[:, None, None]
