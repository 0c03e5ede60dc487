"""Amplify one layer at the expense of another."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import LayerName, Objective
from kerasdream.builtin.objectives.l2 import l2


def layer_difference(*, layer: LayerName, minus: LayerName, amount: Annotated[float, Ge(0)] = 1.0) -> Objective:
    """Amplify what one layer detects while calming another: late shapes without early texture, or the reverse.

    It is l2(layer) − amount · l2(minus), half the difference of the layers' mean squares; the same as two l2 entries,
    the second with a negative weight.

    Args:
        layer: the layer that is amplified.
        minus: the layer that is calmed.
        amount: weight of the second layer. Layers differ in how large their activations are.
    """
    return l2(layer=layer) - l2(layer=minus) * amount
