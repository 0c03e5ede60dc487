"""The source's colours under the dream's drawing."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Interval

from kerasdream import Postprocess, images


def keep_colors(*, amount: Annotated[float, Interval(ge=0, le=1)] = 1.0) -> Postprocess:
    """Keep each pixel's colour from the source and take light and shade from the dream.

    In Y'CbCr (ITU-R BT.709): luma Y' of the dream, chroma Cb and Cr of the source. Chroma is the difference between a
    colour and a grey of the same luma, so this adds the source's differences to the dream's luma. If the sum is out of
    range (no bright colour is as saturated as a medium one), the difference is shortened until it fits: the drawing
    stays exact and the hue is the source's, where clipping would change both. Y'CbCr rather than Lab because it is
    linear: nothing is converted, and grey stays grey. Only the luminance is dreamed, as in Gatys, Bethge, Hertzmann,
    Shechtman, "Preserving color in neural artistic style transfer", 2016.

    Args:
        amount: 0 keeps the dream's colours, 1 takes the source's, values in between mix them.
    """

    def apply(picture, source):
        light = images.luma(picture)
        chroma = picture - light
        chroma += np.float32(amount) * (source - images.luma(source) - chroma)
        room = (1 - light * np.sign(chroma)) / np.maximum(abs(chroma), 1e-6)
        return (light + chroma * np.minimum(1, room.min(-1, keepdims=True))).clip(-1, 1)

    return Postprocess(apply)
