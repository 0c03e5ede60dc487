"""Pictures as arrays: resizing, and the way to bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


def resize(array: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Resizes in float32 with Pillow's bicubic filter, antialiased when it shrinks.

    Args:
        array: (height, width) or (height, width, channels), of any range. Nothing is clipped: bicubic overshoots a
            little at edges, and a canvas, a gradient and a detail layer all need their true values.
        shape: the new (height, width), each at least 1.

    Returns:
        a new float32 array; with an unchanged shape, the unchanged values.

    Raises:
        ValueError: for an array without two or three axes, or an empty shape.
    """
    import numpy as np
    from PIL import Image

    array = np.asarray(array, np.float32)
    height, width = shape
    if array.ndim not in (2, 3) or 0 in array.shape or min(shape) < 1:
        raise ValueError(
            f"resize takes (height, width) or (height, width, channels) and makes no empty picture; "
            f"got the shape {array.shape}, to become {shape}"
        )
    if array.shape[:2] == (height, width):
        return array.copy()
    if array.ndim == 3:
        return np.stack([resize(array[..., channel], shape) for channel in range(array.shape[2])], axis=-1)
    resized = Image.fromarray(np.ascontiguousarray(array)).resize((width, height), Image.Resampling.BICUBIC)
    return np.array(resized)


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Maps floats in [-1, 1] to the nearest of the levels 0..255; what lies outside is clipped.

    Args:
        pixels: floats of any shape.

    Returns:
        uint8 of the same shape.

    Raises:
        ValueError: for a value that is not a number: there is no level for it.
    """
    import numpy as np

    levels = (np.clip(pixels, -1, 1).astype(np.float32) + 1) * 127.5
    if np.isnan(levels).any():
        raise ValueError("the picture has values that are not a number (nan)")
    return np.rint(levels).astype(np.uint8)
