"""The dream as a layer over the source."""

from __future__ import annotations

from typing import Annotated

from annotated_types import Interval

from kerasdream import MaskFile, Postprocess, images


def blend(*, amount: Annotated[float, Interval(ge=0, le=1)], mask: MaskFile | None = None) -> Postprocess:
    """Lay the dream over the source photo: all of it, or only where a mask is white.

    source + amount · mask · (dream - source), like layers in an image editor: ``amount`` is the opacity of the dream,
    ``mask`` its layer mask.

    Args:
        amount: 0 shows the source, 1 the dream.
        mask: a picture file: white shows the dream, black the source; {path: mask.png, feather: 0.05} has soft edges.
    """
    if mask is not None and mask.path is not None:
        images.size(mask.path)  # an unreadable file is reported before anything is computed

    def apply(picture, source):
        share = amount if mask is None else amount * mask.resized(picture.shape[:2])[..., None]
        return (source + share * (picture - source)).clip(-1, 1).astype("float32")

    return Postprocess(apply)
