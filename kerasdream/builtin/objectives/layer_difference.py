"""What one layer sees and another does not."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream.builtin.objectives.l2 import l2
from kerasdream.components import LayerName, Objective


def layer_difference(*, layer: LayerName, minus: LayerName, amount: Annotated[float, Ge(0)] = 1.0) -> Objective:
    """Amplifies what one layer detects while calming another: late shapes without early texture, or the reverse.

    It is l2(layer) − amount · l2(minus), half the difference of the layers' mean squares; the same as two entries l2,
    the second with a negative weight.

    Args:
        layer: the layer that is amplified.
        minus: the layer that is calmed.
        amount: how much that counts. Layers differ in how large their activations are.
    """
    return l2(layer=layer) - l2(layer=minus) * amount
