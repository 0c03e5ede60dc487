"""One neuron: a channel at one place."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream.builtin.objectives.channel import mean_of
from kerasdream.builtin.objectives.vectors import Fraction, point
from kerasdream.components import LayerName, Objective


def neuron(*, layer: LayerName, channel: Annotated[int, Ge(0)], x: Fraction = 0.5, y: Fraction = 0.5) -> Objective:
    """Raises one channel at one place: what a single feature detector looks for, once, where you want it.

    Only the part of the picture that this position of the layer sees is changed.

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017.

    Args:
        layer: the layer the neuron is in.
        channel: index of its channel, from 0.
        x: its place from the left edge of the picture, 0, to the right, 1.
        y: its place from the top, 0, to the bottom, 1.

    Raises:
        ModelError: the layer has fewer channels.
    """
    return Objective(layer, lambda activations: mean_of(layer, activations[layer], [channel]), at=point(x, y))
