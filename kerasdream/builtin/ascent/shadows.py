"""Dark parts of a picture keep their colour."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from kerasdream import Rule, images, ops
from kerasdream.builtin.ascent.pictures import require_picture


def shadows(*, below: Annotated[float, Interval(gt=0, le=1)] = 0.3) -> Rule:
    """Dream in light and shade only where the picture is dark, so that a night sky stays blue.

    Near black a channel can rise but hardly fall, so the colours of a dream do not balance there: a black sky turns
    green. With luma Y' from 0 to 1 and a share s = 2 - 2 Y' / ``below``, limited to 0 to 1, a pixel's step becomes
    (1 - s) · g + s · mean of g: red, green and blue of a dark pixel rise and fall together, and what becomes bright may
    take on any colour. Put it before ``normalize``.

    Args:
        below: luma from which on colours are free, from 0, black, to 1, white; up to half of it they are kept.
    """

    def update(gradient, memory, state):
        luma = (ops.sum(state * np.array(images.LUMA, "float32"), axis=-1, keepdims=True) + 1) / 2
        share = ops.clip(2 - 2 * luma / below, 0, 1)
        return gradient + share * (ops.mean(gradient, axis=-1, keepdims=True) - gradient), memory

    return Rule(update, init=lambda state: require_picture(state, "shadows"), pixels=True)
