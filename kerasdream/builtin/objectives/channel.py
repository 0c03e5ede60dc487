"""Channels of a layer: given ones, or those that a picture excites most or least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

from annotated_types import Ge, MinLen

from kerasdream import ops
from kerasdream.builtin.objectives.vectors import check_channels
from kerasdream.components import LayerName, Objective, Tensor
from kerasdream.errors import ModelError

Index = Annotated[int, Ge(0)]


def channel(
    *,
    layer: LayerName,
    channel: Index | Annotated[list[Index], MinLen(1)] | Literal["strongest", "weakest", "random"],
    count: Annotated[int, Ge(1)] = 1,
    seed: Annotated[int, Ge(0)] = 0,
) -> Objective:
    """Raises the mean activation of some channels: the picture fills with what these feature detectors look for.

    The channels that respond most, or least, are found anew at each step, in each tile. The weakest are those that
    respond at all: a channel that is zero everywhere has no slope.

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017; the choice by strength is that of
    neural-dream (ProGamerGov 2020).

    Args:
        layer: the layer the channels are in.
        channel: index of the channel, from 0, or several; or strongest, weakest, random: which of them to pick.
        count: how many are picked.
        seed: which ones are picked at random.

    Raises:
        ModelError: the layer has fewer channels.
    """
    if channel in ("strongest", "weakest"):
        return Objective(layer, lambda activations: _ranked(layer, activations[layer], count, channel == "strongest"))

    def density(activations):
        if channel == "random":
            return mean_of(layer, activations[layer], _drawn(layer, activations[layer].shape[-1], count, seed))
        return mean_of(layer, activations[layer], [channel] if isinstance(channel, int) else channel)

    return Objective(layer, density)


def mean_of(layer: str, activation: Tensor, channels: Sequence[int]) -> Tensor:
    """Returns the mean of some channels at each position, ``(n, h, w)``.

    Raises:
        ModelError: the layer does not have one of them.
    """
    check_channels(layer, activation.shape[-1], channels)
    return sum(activation[..., index] for index in channels) / len(channels)


def _ranked(layer: str, activation: Tensor, count: int, strongest: bool) -> Tensor:
    """Returns the mean of the channels with the largest or smallest means in each picture, ``(n,)``."""
    _check_count(layer, activation.shape[-1], count)
    means = ops.mean(activation, axis=(1, 2))
    rank = means if strongest else ops.where(means == 0, -float("inf"), -means)
    _, indices = ops.top_k(ops.stop_gradient(rank), count)
    return ops.mean(ops.take_along_axis(means, indices, axis=-1), axis=-1)


def _drawn(layer: str, there: int, count: int, seed: int) -> list[int]:
    import numpy as np

    _check_count(layer, there, count)
    return np.random.default_rng(seed).choice(there, count, replace=False).tolist()


def _check_count(layer: str, there: int, count: int) -> None:
    if count > there:
        raise ModelError(f"the layer {layer!r} has {there} channels; {count} cannot be picked")
