"""Writing pictures, whole or not at all."""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Literal

from kerasdream._files import replacing
from kerasdream.errors import OutputError
from kerasdream.images.arrays import to_uint8
from kerasdream.images.recipe import KEYWORD, MAX_RECIPE_BYTES, into_jpeg

if TYPE_CHECKING:
    import numpy as np

_JPEG_MAX_SIDE = 65_500


def save(
    path: str | os.PathLike,
    pixels: np.ndarray,
    *,
    alpha: np.ndarray | None = None,
    recipe: str = "",
    format: Literal["png", "jpeg"],
    quality: int = 92,
) -> None:
    """Writes an sRGB picture with its recipe inside, replacing an older file in one go.

    The same arguments give the same bytes. Written JPEGs keep the colour at full resolution (4:4:4).

    Args:
        path: the file, whatever its ending.
        pixels: (height, width, 3) floats, RGB in [-1, 1]; what lies outside is clipped.
        alpha: (height, width) floats in [0, 1]. A PNG keeps it; a JPEG cannot, so the picture is laid over white.
        recipe: text for `read_recipe`; none if empty.
        format: "png" or "jpeg".
        quality: of a JPEG, 1 to 100.

    Raises:
        OutputError: if the file cannot be written (an older one is then untouched), or the picture is too large for
            a JPEG, or the recipe longer than `MAX_RECIPE_BYTES`.
        ValueError: for arrays of another shape, values that are not a number, or an unknown format.
    """
    import numpy as np

    pixels = np.asarray(pixels, np.float32)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(f"save takes pixels of the shape (height, width, 3), not {pixels.shape}")
    if alpha is not None:
        alpha = np.asarray(alpha, np.float32)
        if alpha.shape != pixels.shape[:2]:
            raise ValueError(f"alpha has the shape {alpha.shape}, the pixels {pixels.shape}")
    if format not in ("png", "jpeg"):
        raise ValueError(f"format must be 'png' or 'jpeg', not {format!r}")
    if format == "jpeg" and max(pixels.shape) > _JPEG_MAX_SIDE:
        raise OutputError(f"{path}: a JPEG has at most {_JPEG_MAX_SIDE:,} pixels a side; write a PNG")
    text = recipe.encode()
    if len(text) > MAX_RECIPE_BYTES:
        raise OutputError(f"{path}: the recipe has {len(text):,} bytes; a picture takes {MAX_RECIPE_BYTES:,}")
    data = _png(pixels, alpha, text) if format == "png" else _jpeg(pixels, alpha, text, quality)
    with replacing(path) as file:
        file.write(data)


def over_white(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Returns a picture as it looks on white paper: for formats without transparency."""
    if alpha is None:
        return pixels
    alpha = alpha[..., None].clip(0, 1)
    return pixels.clip(-1, 1) * alpha + (1 - alpha)


def _png(pixels: np.ndarray, alpha: np.ndarray | None, recipe: bytes) -> bytes:
    import numpy as np
    from PIL import Image, PngImagePlugin

    levels = to_uint8(pixels)
    if alpha is not None:
        levels = np.dstack([levels, to_uint8(alpha * 2 - 1)])
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\0")
    if recipe:
        # not compressed: Pillow refuses to open a PNG with over 1 MB of text in a compressed chunk
        chunks.add_itxt(KEYWORD, recipe)
    file = io.BytesIO()
    Image.fromarray(levels).save(file, "PNG", pnginfo=chunks)
    return file.getvalue()


def _jpeg(pixels: np.ndarray, alpha: np.ndarray | None, recipe: bytes, quality: int) -> bytes:
    from PIL import Image

    pixels = over_white(pixels, alpha)
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 1}  # the Exif block says: ColorSpace sRGB
    file = io.BytesIO()
    # no optimize=True: Pillow's buffer is then too small for noisy pictures, such as dreams, and saving fails
    Image.fromarray(to_uint8(pixels)).save(file, "JPEG", quality=quality, subsampling="4:4:4", exif=exif)
    return into_jpeg(file.getvalue(), recipe)
