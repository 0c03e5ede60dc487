"""From the dreamed picture to the finished one: the postprocess steps in order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from kerasdream.components import Postprocess
from kerasdream.errors import ImageError
from kerasdream.images import MAX_PIXELS, Picture, resize


def finished_shape(steps: Sequence[Postprocess], shape: tuple[int, int]) -> tuple[int, int]:
    """Return the (height, width) of the finished picture for a dream of this (height, width).

    Raises:
        ImageError: it exceeds the largest allowed size.
    """
    for step in steps:
        shape = step.enlarged(shape)
    height, width = shape
    if height * width > MAX_PIXELS:
        raise ImageError(
            f"the finished picture would have {width}×{height} pixels; expected at most {MAX_PIXELS:,}: enlarge it less"
        )
    return shape


def finish(image: np.ndarray, picture: Picture, steps: Sequence[Postprocess]) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the finished picture, and its alpha at the same size.

    Args:
        image: the dream of ``picture``, at its size.
    """
    alpha = picture.alpha
    if not steps:
        return image, alpha
    source = picture.pixels
    for step in steps:
        image = step.apply(image, source)
        if image.shape != source.shape:
            source = resize(source, (image.shape[0], image.shape[1])).clip(-1, 1)
    if alpha is not None and alpha.shape != image.shape[:2]:
        alpha = resize(alpha, (image.shape[0], image.shape[1])).clip(0, 1)
    return image, alpha
