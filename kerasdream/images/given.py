"""What a caller in Python gives as a picture: a file, a Pillow image or an array."""

from __future__ import annotations

import os
from typing import Any, TypeAlias, Union

import numpy as np
import PIL.Image

from kerasdream.errors import ImageError
from kerasdream.images.arrays import resize
from kerasdream.images.reading import Picture, fit, from_pillow, read, size, upright_size

Image: TypeAlias = Union[np.ndarray, PIL.Image.Image, str, "os.PathLike[str]"]

ROUNDING = 1e-5
"""How far a value may lie outside [-1, 1]."""


def as_picture(image: Image, max_side: int | None = None, value_range: tuple[float, float] | None = None) -> Picture:
    """Return a file, Pillow image or array as a ``Picture``.

    Args:
        value_range: the values of an array for black and white.

    Raises:
        ImageError: the file cannot be read, the array is not a picture, or its range is ambiguous.
        TypeError: it is something else.
    """
    if max_side is not None and (not isinstance(max_side, int) or max_side < 1):
        raise TypeError(f"max_side={max_side!r}: expected a whole number of pixels, or None")
    if value_range is not None and isinstance(image, (str, os.PathLike, PIL.Image.Image)):
        raise ImageError("value_range is for arrays; files and Pillow images have a range of their own")
    if isinstance(image, PIL.Image.Image):
        return from_pillow(image, max_side)
    if isinstance(image, (str, os.PathLike)):
        return read(image, max_side)
    array = np.asarray(image)
    if (not array.shape and array.dtype == object) or isinstance(image, (int, float)):
        raise TypeError(f"the picture is of type {type(image).__name__}; expected a file, a Pillow image or an array")
    if array.ndim != 3 or array.shape[2] != 3 or 0 in array.shape:
        raise ImageError(f"an array of shape {array.shape} is not a picture; expected (height, width, 3){_hint(array)}")
    pixels = _in_range(array, value_range)
    height, width = pixels.shape[:2]
    if max_side and max(height, width) > max_side:
        pixels = resize(pixels, fit(height, width, max_side)).clip(-1, 1)
    return Picture(pixels, None, "picture", "", ())


def size_of(image: Image) -> tuple[int, int]:
    """Return the (height, width) of what ``as_picture`` accepts, before it is shrunk."""
    if isinstance(image, PIL.Image.Image):
        return upright_size(image)
    if isinstance(image, (str, os.PathLike)):
        return size(image)
    height, width = np.shape(image)[:2]
    return height, width


def _hint(array: np.ndarray) -> str:
    if array.ndim == 2:
        return ": np.stack([array] * 3, axis=-1)"
    if array.ndim == 4 and array.shape[3] == 3:
        return ": one picture at a time, array[0]"
    return ": PIL.Image.fromarray(array)" if array.ndim == 3 and array.shape[2] == 4 and array.dtype == np.uint8 else ""


def _in_range(array: np.ndarray, value_range: tuple[float, float] | None) -> np.ndarray:
    """Return the values of a picture as uint8, or as float32 in [-1, 1]."""
    if value_range is None and array.dtype == np.uint8:
        return array
    if not np.issubdtype(array.dtype, np.number) or not np.isfinite(array).all():
        raise ImageError(f"expected uint8, or finite floats in [-1, 1]; this {array.dtype} array is neither")
    low, high = float(array.min()), float(array.max())
    found = f"this {array.dtype} array has values from {low:g} to {high:g}"
    if value_range is not None:
        black, white = as_range("value_range", value_range)
        if low < black or high > white:
            raise ImageError(f"{found}, outside value_range=({black:g}, {white:g})")
        return ((array - black) / (white - black) * 2 - 1).astype("float32")
    if not np.issubdtype(array.dtype, np.floating) or max(-low, high) > 1 + ROUNDING:
        raise ImageError(
            f"expected uint8, or floats in [-1, 1]; {found}; pass value_range=(black, white), (0, 255) for example"
        )
    if low >= 0:
        raise ImageError(f"{found}: is black 0 or -1? Pass value_range=(0, 1), or value_range=(-1, 1)")
    return array.astype("float32").clip(-1, 1)


def as_range(name: str, value: Any) -> tuple[float, float]:
    """Return two ascending numbers as floats.

    Raises:
        TypeError: they are not.
    """
    try:
        low, high = map(float, value)
    except (TypeError, ValueError):
        low = high = 0.0
    if not low < high:
        raise TypeError(f"{name}={value!r}: expected two ascending numbers, (0, 255) for example")
    return low, high
