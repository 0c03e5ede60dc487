"""One channel of a layer."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream.components import LayerName, Objective
from kerasdream.errors import ModelError


def channel(*, layer: LayerName, channel: Annotated[int, Ge(0)]) -> Objective:
    """Raises the mean activation of one channel: the picture fills with what that feature detector looks for.

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017.

    Args:
        layer: the layer the channel is in.
        channel: index of the channel, from 0.

    Raises:
        ModelError: the layer has fewer channels.
    """

    def density(activations):
        channels = activations[layer].shape[-1]
        if channel >= channels:
            raise ModelError(
                f"the layer {layer!r} has {channels} channels; expected 0 to {channels - 1}, not {channel}"
            )
        return activations[layer][..., channel]

    return Objective(layer, density)
