"""The dream as a layer over the source."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from annotated_types import Ge, Interval

from kerasdream import images
from kerasdream.components import Postprocess


def blend(
    *,
    amount: Annotated[float, Interval(ge=0, le=1)],
    mask: Path | None = None,
    feather: Annotated[float, Ge(0)] = 0.0,
) -> Postprocess:
    """Lays the dream over the source photo: as a whole, or where a mask says.

    source + amount · mask · (dream - source), as layers do in an image editor: ``amount`` is the opacity of the dream,
    ``mask`` its layer mask.

    Args:
        amount: 0 shows the source, 1 the dream.
        mask: a picture file: white shows the dream, black the source. It is stretched to the size of the dream; what is
            transparent in it counts as black.
        feather: how soft the mask's edges become: the sigma of a Gaussian blur, in pixels of the dream.
    """
    if mask is not None:
        images.size(mask)  # whether it is a picture is known before anything is computed

    def apply(picture, source):
        import numpy as np
        from scipy.ndimage import gaussian_filter

        share = np.float32(amount)
        if mask is not None:
            drawn = images.read(mask)
            white = (images.luma(drawn.pixels)[..., 0] + 1) / 2 * (1 if drawn.alpha is None else drawn.alpha)
            white = images.resize(white, picture.shape[:2]).clip(0, 1)
            share = share * gaussian_filter(white, feather, mode="reflect")[..., None]
        return (source + share * (picture - source)).clip(-1, 1)

    return Postprocess(apply)
