"""Raise channels of a layer: given ones, or the ones that a picture excites most or least."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import numpy as np
from annotated_types import Ge, MinLen

from kerasdream import LayerName, ModelError, Objective, ops
from kerasdream.builtin.objectives.vectors import check_channels

Index = Annotated[int, Ge(0)]


def channel(
    *,
    layer: LayerName,
    channel: Index | Annotated[list[Index], MinLen(1)] | Literal["strongest", "weakest", "random"],
    count: Annotated[int, Ge(1)] = 1,
    seed: Annotated[int, Ge(0)] = 0,
) -> Objective:
    """Raise the mean activation of some channels: the picture fills with what these feature detectors look for.

    The strongest or weakest channels are determined again at each step, in each tile. The weakest are the weakest that
    respond at all, because a channel that is zero everywhere has no gradient.

    Source: Olah, Mordvintsev, Schubert, "Feature Visualization", Distill 2017; the choice by strength comes from
    neural-dream (ProGamerGov 2020).

    Args:
        layer: the layer the channels belong to.
        channel: index of the channel, from 0, or several indices; or strongest, weakest, random.
        count: how many channels strongest, weakest or random picks.
        seed: seed of the random choice.

    Raises:
        ModelError: the layer has fewer channels.
    """
    if channel in ("strongest", "weakest"):
        return Objective(layer, lambda activations: _ranked(layer, activations[layer], count, channel == "strongest"))

    def density(activations):
        if isinstance(channel, str):  # random
            return mean_of(layer, activations[layer], _drawn(layer, activations[layer].shape[-1], count, seed))
        return mean_of(layer, activations[layer], [channel] if isinstance(channel, int) else channel)

    return Objective(layer, density)


def mean_of(layer: str, activation: Any, channels: Sequence[int]) -> Any:
    """Return the mean of some channels at each position, ``(n, h, w)``.

    Raises:
        ModelError: the layer does not have one of them.
    """
    check_channels(layer, activation.shape[-1], channels)
    return sum(activation[..., index] for index in channels) / len(channels)


def _ranked(layer: str, activation: Any, count: int, strongest: bool) -> Any:
    """Return the mean of the channels with the largest or smallest means in each picture, ``(n,)``."""
    _check_count(layer, activation.shape[-1], count)
    means = ops.mean(activation, axis=tuple(range(1, len(activation.shape) - 1)))
    rank = means if strongest else ops.where(means == 0, -float("inf"), -means)
    _, indices = ops.top_k(ops.stop_gradient(rank), count)
    return ops.mean(ops.take_along_axis(means, indices, axis=-1), axis=-1)


def _drawn(layer: str, channels: int, count: int, seed: int) -> list[int]:
    _check_count(layer, channels, count)
    return np.random.default_rng(seed).choice(channels, count, replace=False).tolist()


def _check_count(layer: str, channels: int, count: int) -> None:
    if count > channels:
        raise ModelError(f"the layer {layer!r} has {channels} channels; cannot pick {count} of them")
