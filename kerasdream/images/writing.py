"""Write pictures atomically."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Literal, TypeAlias, get_args

import numpy as np
from PIL import Image, PngImagePlugin

from kerasdream._files import replacing
from kerasdream.errors import OutputError
from kerasdream.images.arrays import to_uint8
from kerasdream.images.recipe import DESCRIPTION, KEYWORD, MAX_RECIPE_BYTES, as_description, into_jpeg

Format: TypeAlias = Literal["png", "jpeg", "webp", "tiff"]

FORMATS: dict[str, Format] = {
    ".png": "png",
    ".jpg": "jpeg",
    ".jpeg": "jpeg",
    ".webp": "webp",
    ".tif": "tiff",
    ".tiff": "tiff",
}
"""Suffix of a file, in lower case -> the format that ``save`` writes."""

PrintSize = dict[str, tuple[float, float]]
"""Pillow's option ``dpi``, or nothing."""

_NAMES = {"jpeg": "JPEG", "webp": "WebP"}
_MAX_SIDE = {"jpeg": 65_500, "webp": 16_383}


def save(
    path: str | os.PathLike[str],
    pixels: np.ndarray,
    *,
    alpha: np.ndarray | None = None,
    recipe: str = "",
    format: Format,
    quality: int = 92,
    dpi: tuple[float, float] | None = None,
) -> None:
    """Write an sRGB picture with its recipe inside, replacing an existing file atomically.

    The same arguments give the same bytes. JPEGs are written with colour at full resolution (4:4:4).

    Args:
        path: the file; its extension does not matter (see ``format_of``).
        pixels: (height, width, 3) floats, RGB in [-1, 1]; values outside are clipped.
        alpha: (height, width) floats in [0, 1]. For a JPEG, the picture is composited over white; the others keep it.
        recipe: text that `read_recipe` returns, without NUL characters; none if empty.
        format: "png" and "tiff" are lossless, "jpeg" and "webp" are not.
        quality: of a JPEG or WebP, 1 to 100.
        dpi: dots per inch for printing, across and down; None: none in the file. A WebP has none.

    Raises:
        OutputError: the file cannot be written (an existing one is then untouched), the picture is too large for
            the format, or the recipe is longer than `MAX_RECIPE_BYTES`.
        ValueError: an array has the wrong shape or values that are not a number, or the format is unknown.
    """
    try:
        data = encoded(pixels, alpha=alpha, recipe=recipe, format=format, quality=quality, dpi=dpi)
    except OutputError as error:
        raise OutputError(f"{path}: {error}") from None
    with replacing(path) as file:
        file.write(data)


def encoded(
    pixels: np.ndarray,
    *,
    alpha: np.ndarray | None = None,
    recipe: str = "",
    format: Format,
    quality: int = 92,
    dpi: tuple[float, float] | None = None,
) -> bytes:
    """Return the bytes of the file that ``save`` writes; see there."""
    pixels = np.asarray(pixels, np.float32)
    if pixels.ndim != 3 or pixels.shape[2] != 3 or 0 in pixels.shape:
        raise ValueError(f"save expects pixels of shape (height, width, 3), not {pixels.shape}")
    if alpha is not None:
        alpha = np.asarray(alpha, np.float32)
        if alpha.shape != pixels.shape[:2]:
            raise ValueError(f"alpha has shape {alpha.shape}, but the pixels have {pixels.shape}")
    if format not in get_args(Format):
        raise ValueError(f"format must be one of {get_args(Format)}, not {format!r}")
    largest = _MAX_SIDE.get(format)
    if largest and max(pixels.shape) > largest:
        raise OutputError(f"a {_NAMES[format]} has at most {largest:,} pixels per side; write a PNG")
    text = recipe.encode()
    if len(text) > MAX_RECIPE_BYTES:
        raise OutputError(f"the recipe has {len(text):,} bytes; expected at most {MAX_RECIPE_BYTES:,}")
    print_size = {"dpi": dpi} if dpi else {}
    match format:
        case "png":
            return _png(pixels, alpha, text, print_size)
        case "jpeg":
            return _jpeg(pixels, alpha, text, quality, print_size)
        case "webp":
            return _webp(pixels, alpha, text, quality)
        case "tiff":
            return _tiff(pixels, alpha, text, print_size)


def format_of(path: str | os.PathLike[str]) -> Format:
    """Return the format that a file's name asks for.

    Raises:
        OutputError: its suffix is none of ``FORMATS``.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        raise OutputError(f"{path}: expected a name that ends in {', '.join(FORMATS)}")
    return FORMATS[suffix]


def over_white(pixels: np.ndarray, alpha: np.ndarray | None) -> np.ndarray:
    """Composite a picture over white, for formats without transparency."""
    if alpha is None:
        return pixels
    alpha = alpha[..., None].clip(0, 1)
    return pixels.clip(-1, 1) * alpha + (1 - alpha)


def _png(pixels: np.ndarray, alpha: np.ndarray | None, recipe: bytes, print_size: PrintSize) -> bytes:
    chunks = PngImagePlugin.PngInfo()
    chunks.add(b"sRGB", b"\0")
    if recipe:
        # Uncompressed: Pillow refuses to open a PNG with over 1 MB of text in a compressed chunk.
        chunks.add_itxt(KEYWORD, recipe)
    file = io.BytesIO()
    _levels(pixels, alpha).save(file, "PNG", pnginfo=chunks, **print_size)
    return file.getvalue()


def _webp(pixels: np.ndarray, alpha: np.ndarray | None, recipe: bytes, quality: int) -> bytes:
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 1}  # Exif ColorSpace: sRGB
    if recipe:
        exif[DESCRIPTION] = as_description(recipe)
    file = io.BytesIO()
    _levels(pixels, alpha).save(file, "WEBP", quality=quality, exif=exif)
    return file.getvalue()


def _tiff(pixels: np.ndarray, alpha: np.ndarray | None, recipe: bytes, print_size: PrintSize) -> bytes:
    tags = {DESCRIPTION: as_description(recipe)} if recipe else {}
    file = io.BytesIO()
    _levels(pixels, alpha).save(file, "TIFF", compression="tiff_adobe_deflate", tiffinfo=tags, **print_size)
    return file.getvalue()


def _levels(pixels: np.ndarray, alpha: np.ndarray | None) -> Image.Image:
    levels = to_uint8(pixels)
    return Image.fromarray(levels if alpha is None else np.dstack([levels, to_uint8(alpha * 2 - 1)]))


def _jpeg(pixels: np.ndarray, alpha: np.ndarray | None, recipe: bytes, quality: int, print_size: PrintSize) -> bytes:
    pixels = over_white(pixels, alpha)
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 1}  # Exif ColorSpace: sRGB
    file = io.BytesIO()
    # No optimize=True: Pillow's buffer would be too small for noisy pictures such as dreams, and saving would fail.
    Image.fromarray(to_uint8(pixels)).save(file, "JPEG", quality=quality, subsampling="4:4:4", exif=exif, **print_size)
    return into_jpeg(file.getvalue(), recipe)
