"""From the dreamed picture to the finished one: the postprocess steps in order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

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


class Finish(NamedTuple):
    """The finished picture, and what has its size: alpha and attribution, or None."""

    image: np.ndarray
    alpha: np.ndarray | None
    attribution: np.ndarray | None


def finish(
    image: np.ndarray, picture: Picture, steps: Sequence[Postprocess], attribution: np.ndarray | None = None
) -> Finish:
    """Return the finished picture.

    Args:
        image: the dream of ``picture``, at its size.
        attribution: of the dream, at any size, if a step or an output needs it.
    """
    attribution = _resized(attribution, image, 0, None)
    if not steps:
        return Finish(image, picture.alpha, attribution)
    source = picture.pixels
    for step in steps:
        image = step.apply(image, source, attribution) if step.attributed else step.apply(image, source)
        if image.shape != source.shape:
            source = _resized(source, image, -1, 1)
            attribution = _resized(attribution, image, 0, None)
    return Finish(image, _resized(picture.alpha, image, 0, 1), attribution)


def _resized(array: Any, image: np.ndarray, low: float, high: float | None) -> Any:
    """Return an array, or none, at the size of a picture."""
    shape = (image.shape[0], image.shape[1])
    return array if array is None or array.shape[:2] == shape else resize(array, shape).clip(low, high)
