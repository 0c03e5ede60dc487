"""Draw a direction in a layer's feature space, and as little else as possible."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Ge

from kerasdream import LayerName, Objective
from kerasdream.builtin.objectives.vectors import Direction, Fraction, along, dot_cosine


def cosine(
    *,
    layer: LayerName,
    direction: Direction,
    power: Annotated[float, Ge(0)] = 2.0,
    x: Fraction | None = None,
    y: Fraction | None = None,
) -> Objective:
    """Draw a mixture of channels in its pure form: raise the activations along a direction, and little else.

    The density is a·v · max(0.1, cos(a, v))^power, where a are the activations at a position and v is the direction.
    The dot product alone would also grow by exciting every channel; the cosine alone would ignore how weak the response
    is.

    Source: tensorflow/lucid (direction_cossim, with cossim_pow).

    Args:
        layer: the layer to look at.
        direction: one number per channel; or channels and their numbers, {7: 1, 40: -0.5}; or a .npy file.
        power: how much the angle counts; 0: not at all, as in the objective direction.
        x: look only at this place, from 0, the picture's left edge, to 1, its right edge; everywhere if x and y are
            null.
        y: look only at this place, from 0, the top, to 1, the bottom.

    Raises:
        ConfigError: the file cannot be read, or its numbers are not a direction.
        ModelError: the layer has a different number of channels.
    """
    return along(layer, direction, lambda activation, vector: dot_cosine(activation, vector, power), x, y)
