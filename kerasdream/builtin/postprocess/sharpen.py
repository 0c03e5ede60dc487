"""Edges made crisper."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Gt, Interval

from kerasdream.components import Postprocess


def sharpen(
    *,
    amount: Annotated[float, Interval(ge=0, le=5)] = 0.6,
    radius: Annotated[float, Gt(0)] = 1.2,
    threshold: Annotated[float, Interval(ge=0, le=255)] = 0.0,
) -> Postprocess:
    """Sharpens the picture by an unsharp mask: what a blur takes away is added once more.

    luma + amount · (luma - blurred luma), the change added to red, green and blue alike, so that no edge gets a fringe
    of another colour. The darkroom's method, with the three numbers that image editors have.

    Args:
        amount: how much is added: 0 leaves the picture, 1 doubles its finest contrasts.
        radius: how fine: the sigma of the Gaussian blur, in pixels.
        threshold: differences to the surroundings that are smaller than this are left alone, larger ones are lessened
            by it: grain stays as it is. In levels of 0 to 255.
    """

    def apply(picture, source):
        import numpy as np
        from scipy.ndimage import gaussian_filter

        from kerasdream.images import luma

        light = luma(picture)
        detail = light - gaussian_filter(light, (radius, radius, 0), mode="reflect")
        detail = np.sign(detail) * (abs(detail) - np.float32(threshold / 127.5)).clip(0)
        return (picture + np.float32(amount) * detail).clip(-1, 1)

    return Postprocess(apply)
