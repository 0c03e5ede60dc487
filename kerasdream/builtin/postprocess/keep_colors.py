"""The source's colours under the dream's drawing."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream.components import Postprocess


def keep_colors(*, amount: Annotated[float, Interval(ge=0, le=1)] = 1.0) -> Postprocess:
    """Keeps each pixel's colour as it is in the source and takes the light and shade from the dream.

    In Y'CbCr (ITU-R BT.709): luma Y' of the dream, chroma Cb and Cr of the source. Chroma is what a colour differs by
    from a grey of its luma, so this adds the source's differences to the dream's luma. Where the sum cannot be shown
    (no bright colour is as saturated as a middle one), the difference is shortened until it can: the drawing stays
    exact and the hue the source's, where clipping would change both. Y'CbCr rather than Lab because it is linear:
    nothing is converted, and grey stays grey. Luminance alone is dreamed, as in Gatys, Bethge, Hertzmann, Shechtman,
    "Preserving color in neural artistic style transfer", 2016.

    Args:
        amount: 0 leaves the dream's colours, 1 takes the source's; in between they are mixed.
    """

    def apply(picture, source):
        import numpy as np

        from kerasdream.images import luma

        light = luma(picture)
        chroma = picture - light
        chroma += np.float32(amount) * (source - luma(source) - chroma)
        room = (1 - light * np.sign(chroma)) / np.maximum(abs(chroma), 1e-6)
        return (light + chroma * np.minimum(1, room.min(-1, keepdims=True))).clip(-1, 1)

    return Postprocess(apply)
