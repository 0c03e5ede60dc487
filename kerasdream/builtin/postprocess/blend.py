"""The dream as a layer over the source."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from annotated_types import Interval

from kerasdream import Mask, MaskFile, Postprocess, images


def blend(
    *, amount: Annotated[float, Interval(ge=0, le=1)], mask: Literal["attribution"] | MaskFile | None = None
) -> Postprocess:
    """Lay the dream over the source photo: all of it, only where a mask is white, or where the objectives pulled.

    source + amount · mask · (dream - source), like layers in an image editor: ``amount`` is the opacity of the dream,
    ``mask`` its layer mask.

    Args:
        amount: 0 shows the source, 1 the dream.
        mask: a picture file: white shows the dream, black the source; {path: mask.png, feather: 0.05} has soft edges.
            Or attribution: the dream shows where the objectives pulled most, the source where they hardly did.
    """
    attributed = mask == "attribution"
    if isinstance(mask, Mask) and mask.path is not None:
        images.size(mask.path)  # an unreadable file is reported before anything is computed

    def apply(picture, source, attribution=None):
        where = images.opacity(attribution) if attributed else np.ones(picture.shape[:2], "float32")
        if isinstance(mask, Mask):
            where = mask.resized(picture.shape[:2])
        return (source + amount * where[..., None] * (picture - source)).clip(-1, 1).astype("float32")

    return Postprocess(apply, attributed=attributed)
