"""Pictures as arrays: resizing, and conversion to and from bytes."""

from __future__ import annotations

from typing import Literal

import numpy as np
from PIL import Image


def resize(array: np.ndarray, shape: tuple[int, int], by: Literal["bicubic", "lanczos"] = "bicubic") -> np.ndarray:
    """Resize in float32 with one of Pillow's filters, antialiased when shrinking.

    Args:
        array: (height, width) or (height, width, channels): uint8 levels, which become floats in [-1, 1], or floats of
            any range. Values are not clipped: both filters overshoot a little at edges, and a canvas, a gradient and
            a detail layer need their true values.
        shape: new (height, width), each at least 1.
        by: filter.

    Returns:
        A new float32 array; if the shape does not change, neither do the values.

    Raises:
        ValueError: the array does not have two or three axes, or a shape is empty.
    """
    array = np.asarray(array)
    height, width = shape
    if array.ndim not in (2, 3) or 0 in array.shape or min(shape) < 1:
        raise ValueError(
            f"resize expects (height, width) or (height, width, channels) and a new shape that is not empty; "
            f"got {array.shape} and {shape}"
        )
    if array.shape[:2] == (height, width):
        return to_float(array) if array.dtype == np.uint8 else np.array(array, np.float32)
    resized = np.empty((height, width, *array.shape[2:]), np.float32)
    for channel in np.ndindex(array.shape[2:]):  # one at a time, so that memory does not hold a large picture twice
        plane = np.ascontiguousarray(to_float(array[(..., *channel)]), np.float32)
        made = Image.fromarray(plane).resize((width, height), Image.Resampling[by.upper()])
        resized[(..., *channel)] = np.asarray(made)
    return resized


def to_float(pixels: np.ndarray) -> np.ndarray:
    """Map uint8 levels 0..255 to float32 in [-1, 1]; return floats unchanged."""
    if pixels.dtype != np.uint8:
        return pixels
    floats = pixels / np.float32(127.5)
    floats -= 1
    return floats


def to_uint8(pixels: np.ndarray) -> np.ndarray:
    """Map floats in [-1, 1] to the nearest levels 0..255, clipping values outside.

    Args:
        pixels: floats of any shape.

    Returns:
        uint8 of the same shape.

    Raises:
        ValueError: a value is not a number.
    """
    levels = (np.clip(pixels, -1, 1).astype(np.float32) + 1) * 127.5
    if np.isnan(levels).any():
        raise ValueError("the picture has values that are not a number (nan)")
    return np.rint(levels).astype(np.uint8)
