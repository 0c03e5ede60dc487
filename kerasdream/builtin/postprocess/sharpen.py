"""Make edges crisper."""

from __future__ import annotations

from typing import Annotated

import numpy as np
from annotated_types import Gt, Interval

from kerasdream import Postprocess, images


def sharpen(
    *,
    amount: Annotated[float, Interval(ge=0, le=5)] = 0.6,
    radius: Annotated[float, Gt(0)] = 1.2,
    threshold: Annotated[float, Interval(ge=0, le=255)] = 0.0,
) -> Postprocess:
    """Sharpen the picture with an unsharp mask: what a blur removes is added once more.

    luma + amount · (luma - blurred luma), with the change added equally to red, green and blue, so that no edge gets a
    colour fringe. The darkroom's method, with the three parameters that image editors have.

    Args:
        amount: how much is added: 0 leaves the picture unchanged, 1 doubles its finest contrasts.
        radius: how fine: the standard deviation of the Gaussian blur, in pixels.
        threshold: differences from the surroundings below this are ignored and larger ones are reduced by it, so that
            grain stays as it is. In levels of 0 to 255.
    """

    def apply(picture, source):
        from scipy.ndimage import gaussian_filter

        light = images.luma(picture)
        detail = light - gaussian_filter(light, (radius, radius, 0), mode="reflect")
        detail = np.sign(detail) * (abs(detail) - np.float32(threshold / 127.5)).clip(0)
        return (picture + np.float32(amount) * detail).clip(-1, 1)

    return Postprocess(apply)
