"""One neuron: a channel at one place."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import LayerName, Objective
from kerasdream.builtin.objectives.channel import mean_of
from kerasdream.builtin.objectives.vectors import Fraction, point


def neuron(*, layer: LayerName, channel: Annotated[int, Ge(0)], x: Fraction = 0.5, y: Fraction = 0.5) -> Objective:
    """Raise one channel at one place: what a single feature detector looks for, once, where you want it.

    Only the part of the picture that this position of the layer sees is changed.

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017.

    Args:
        layer: the layer the neuron belongs to.
        channel: index of its channel, from 0.
        x: its place, from 0, the picture's left edge, to 1, its right edge.
        y: its place, from 0, the top, to 1, the bottom.

    Raises:
        ModelError: the layer has fewer channels.
    """
    return Objective(layer, lambda activations: mean_of(layer, activations[layer], [channel]), at=point(x, y))
