"""Pictures as arrays: resizing, and the way to bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np


def resize(array: np.ndarray, shape: tuple[int, int], by: Literal["bicubic", "lanczos"] = "bicubic") -> np.ndarray:
    """Resizes in float32 with one of Pillow's filters, antialiased when it shrinks.

    Args:
        array: (height, width) or (height, width, channels): uint8 levels, which become floats in [-1, 1], or floats of
            any range. Nothing is clipped: both filters overshoot a little at edges, and a canvas, a gradient and a
            detail layer all need their true values.
        shape: the new (height, width), each at least 1.
        by: the filter.

    Returns:
        a new float32 array; with an unchanged shape, the unchanged values.

    Raises:
        ValueError: for an array without two or three axes, or an empty shape.
    """
    import numpy as np
    from PIL import Image

    array = np.asarray(array)
    height, width = shape
    if array.ndim not in (2, 3) or 0 in array.shape or min(shape) < 1:
        raise ValueError(
            f"resize takes (height, width) or (height, width, channels) and makes no empty picture; "
            f"got the shape {array.shape}, to become {shape}"
        )
    if array.shape[:2] == (height, width):
        return to_float(array) if array.dtype == np.uint8 else np.array(array, np.float32)
    resized = np.empty((height, width, *array.shape[2:]), np.float32)
    for channel in np.ndindex(array.shape[2:]):  # one at a time: a large picture is not in memory twice
        plane = np.ascontiguousarray(to_float(array[(..., *channel)]), np.float32)
        made = Image.fromarray(plane).resize((width, height), Image.Resampling[by.upper()])
        resized[(..., *channel)] = np.asarray(made)
    return resized


def to_float(pixels: np.ndarray) -> np.ndarray:
    """Maps uint8 levels 0..255 to float32 in [-1, 1]; floats are returned as they are."""
    import numpy as np

    if pixels.dtype != np.uint8:
        return pixels
    floats = pixels / np.float32(127.5)
    floats -= 1
    return floats


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
