"""Objectives: what the ascent makes larger."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kerasdream import Objective
from kerasdream.builtin.objectives.alignment import alignment
from kerasdream.builtin.objectives.caricature import caricature
from kerasdream.builtin.objectives.channel import channel
from kerasdream.builtin.objectives.class_ import class_
from kerasdream.builtin.objectives.cosine import cosine
from kerasdream.builtin.objectives.difference import difference
from kerasdream.builtin.objectives.direction import direction
from kerasdream.builtin.objectives.diversity import diversity
from kerasdream.builtin.objectives.guide import guide
from kerasdream.builtin.objectives.hold import hold
from kerasdream.builtin.objectives.interpolate import interpolate
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.builtin.objectives.layer_difference import layer_difference
from kerasdream.builtin.objectives.mean import mean
from kerasdream.builtin.objectives.neuron import neuron
from kerasdream.builtin.objectives.style import style

OBJECTIVES: Mapping[str, Callable[..., Objective]] = {
    "l2": l2,
    "mean": mean,
    "channel": channel,
    "neuron": neuron,
    "direction": direction,
    "cosine": cosine,
    "class": class_,
    "guide": guide,
    "caricature": caricature,
    "style": style,
    "difference": difference,
    "hold": hold,
    "layer_difference": layer_difference,
    "diversity": diversity,
    "alignment": alignment,
    "interpolate": interpolate,
}
"""Name in a run file -> factory, in the order in which ``kerasdream list`` shows them."""
