"""Enlarge a picture to a size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kerasdream.images.arrays import resize, to_float, to_uint8
from kerasdream.images.reading import Picture


def with_longer_side(height: int, width: int, side: int) -> tuple[int, int]:
    """Return (height, width), enlarged or shrunk to a longer side of ``side``."""
    longest = max(height, width)
    return max(1, round(height * side / longest)), max(1, round(width * side / longest))


def enlarged(picture: Picture, side: int) -> Picture:
    """Return a picture enlarged to a longer side of ``side`` (Lanczos, colours weighted by alpha); larger ones as they
    are.
    """
    height, width = picture.stored.shape[:2]
    if max(height, width) >= side:
        return picture
    shape = with_longer_side(height, width, side)
    alpha = picture.alpha
    if alpha is None:
        pixels = resize(picture.stored, shape, "lanczos")
    else:
        weighted = resize(to_float(picture.stored) * alpha[..., None], shape, "lanczos")
        alpha = resize(alpha, shape, "lanczos").clip(0, 1)
        pixels = weighted / np.maximum(alpha, 1 / 255)[..., None]
    stored = to_uint8(pixels) if picture.stored.dtype == np.uint8 else pixels.clip(-1, 1)
    return replace(picture, stored=stored, alpha=alpha)
