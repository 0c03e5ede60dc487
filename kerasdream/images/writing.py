"""Write pictures atomically."""

from __future__ import annotations

import io
import os
from typing import Literal

import numpy as np
from PIL import Image, PngImagePlugin

from kerasdream._files import replacing
from kerasdream.errors import OutputError
from kerasdream.images.arrays import to_uint8
from kerasdream.images.recipe import KEYWORD, MAX_RECIPE_BYTES, into_jpeg

PrintSize = dict[str, tuple[float, float]]
"""Pillow's option ``dpi``, or nothing."""

_JPEG_MAX_SIDE = 65_500


def save(
    path: str | os.PathLike[str],
    pixels: np.ndarray,
    *,
    alpha: np.ndarray | None = None,
    recipe: str = "",
    format: Literal["png", "jpeg"],
    quality: int = 92,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write an sRGB picture with its recipe inside, replacing an existing file atomically.

    The same arguments give the same bytes. JPEGs are written with colour at full resolution (4:4:4).

    Args:
        path: the file; its extension does not matter.
        pixels: (height, width, 3) floats, RGB in [-1, 1]; values outside are clipped.
        alpha: (height, width) floats in [0, 1]. A PNG keeps it; for a JPEG, the picture is composited over white.
        recipe: text that `read_recipe` returns; none if empty.
        format: "png" or "jpeg".
        quality: of a JPEG, 1 to 100.
        dpi: dots per inch for printing, across and down; None: none in the file.

    Raises:
        OutputError: the file cannot be written (an existing one is then untouched), the picture is too large for a
            JPEG, or the recipe is longer than `MAX_RECIPE_BYTES`.
        ValueError: an array has the wrong shape or values that are not a number, or the format is unknown.
    """
    pixels = np.asarray(pixels, np.float32)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(f"save expects pixels of shape (height, width, 3), not {pixels.shape}")
    if alpha is not None:
        alpha = np.asarray(alpha, np.float32)
        if alpha.shape != pixels.shape[:2]:
            raise ValueError(f"alpha has shape {alpha.shape}, but the pixels have {pixels.shape}")
    if format not in ("png", "jpeg"):
        raise ValueError(f"format must be 'png' or 'jpeg', not {format!r}")
    if format == "jpeg" and max(pixels.shape) > _JPEG_MAX_SIDE:
        raise OutputError(f"{path}: a JPEG has at most {_JPEG_MAX_SIDE:,} pixels per side; write a PNG")
    text = recipe.encode()
    if len(text) > MAX_RECIPE_BYTES:
        raise OutputError(f"{path}: the recipe has {len(text):,} bytes; expected at most {MAX_RECIPE_BYTES:,}")
    print_size = {"dpi": dpi} if dpi else {}
    data = _png(pixels, alpha, text, print_size) if format == "png" else _jpeg(pixels, alpha, text, quality, print_size)
    with replacing(path) as file:
        file.write(data)


def over_white(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Composite a picture over white, for formats without transparency."""
    if alpha is None:
        return pixels
    alpha = alpha[..., None].clip(0, 1)
    return pixels.clip(-1, 1) * alpha + (1 - alpha)


def _png(pixels: np.ndarray, alpha: np.ndarray | None, recipe: bytes, print_size: PrintSize) -> bytes:
    levels = to_uint8(pixels)
    if alpha is not None:
        levels = np.dstack([levels, to_uint8(alpha * 2 - 1)])
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\0")
    if recipe:
        # Uncompressed: Pillow refuses to open a PNG with over 1 MB of text in a compressed chunk.
        chunks.add_itxt(KEYWORD, recipe)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG", pnginfo=chunks, **print_size)
    return file.getvalue()


def _jpeg(pixels: np.ndarray, alpha: np.ndarray | None, recipe: bytes, quality: int, print_size: PrintSize) -> bytes:
    pixels = over_white(pixels, alpha)
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 1}  # Exif ColorSpace: sRGB
    file = io.BytesIO()
    # No optimize=True: Pillow's buffer would be too small for noisy pictures such as dreams, and saving would fail.
    Image.fromarray(to_uint8(pixels)).save(file, "JPEG", quality=quality, subsampling="4:4:4", exif=exif, **print_size)
    return into_jpeg(file.getvalue(), recipe)
