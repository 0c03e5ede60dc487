"""Read pictures: decoded by Pillow, turned upright, converted to sRGB and shrunk to fit."""

from __future__ import annotations

import hashlib
import os
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from kerasdream._files import open_file
from kerasdream.errors import ImageError
from kerasdream.images.arrays import to_float
from kerasdream.images.deep_tiff import DeepTiff
from kerasdream.images.files import png_chunks
from kerasdream.images.formats import identify, trouble
from kerasdream.images.srgb import to_srgb

MAX_PIXELS = 16384 * 16384
"""Largest picture that is decoded, 268 megapixels; a header that claims more is treated as an attack.

WebP and rotated TIFF stop at Pillow's own limit of 179 megapixels.
"""

_X_RESOLUTION = 0x011A  # in EXIF

MAX_DPI = 9600
"""Most dots per inch that are taken to be meant."""

# EXIF orientation -> the transposition that undoes it
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright and in sRGB.

    Attributes:
        stored: (height, width, 3) RGB with the precision of the file: uint8 levels, or float32 in [-1, 1].
        alpha: (height, width) float32 in [0, 1], or None if the picture is opaque.
        name: name of the file, without its folder.
        sha256: hex digest of the file.
        notes: conversions that the user should know about.
        dpi: dots per inch for printing, across and down, if the file says.
    """

    stored: np.ndarray
    alpha: np.ndarray | None
    name: str
    sha256: str
    notes: tuple[str, ...]
    dpi: tuple[float, float] | None = None

    @property
    def pixels(self) -> np.ndarray:
        """The picture as (height, width, 3) float32 in [-1, 1]; uint8 levels are converted on every access."""
        return to_float(self.stored)


def read(path: str | os.PathLike[str], max_side: int | None = None) -> Picture:
    """Read a picture: upright according to its EXIF orientation, in sRGB, shrunk to fit.

    Supported are PNG, JPEG, TIFF, WebP, GIF, BMP, PPM, JPEG 2000 and, where Pillow supports it, AVIF, including grey,
    palette, CMYK, Lab and transparent pictures; HEIC with the extra ``[heif]``; TIFFs in floating point or 32 bits with
    the extra ``[tiff]``. 16-bit grey and float pictures keep their precision; Pillow reads 16-bit colour as 8 bits.
    Floats are sRGB values with 0 black and 1 white. Beyond that range, grey is rescaled so that the smallest is black
    and the largest white, and colour is clipped; a note says so. Only the first frame or page of a file is read.

    Args:
        path: the file.
        max_side: longest side, in pixels. Larger pictures are shrunk (Lanczos, colours weighted by alpha); smaller
            ones are not enlarged.

    Raises:
        ImageError: the file is missing, unreadable, not a picture, of a kind that is not read, damaged, cut short,
            without pixels, or larger than `MAX_PIXELS`.
    """
    limit = _limit(max_side)
    notes: list[str] = []
    with _opened(path) as (file, image):
        notes += _frame_notes(image)
        orientation = _orientation(file, image)
        if isinstance(image, DeepTiff):
            pixels, alpha = _fitted([*np.moveaxis(image.values(notes), -1, 0)], orientation, limit), None
        else:
            if image.format == "TIFF":
                _check_strips(image)
                orientation = 1  # Pillow applies it while decoding
            image.load()
            pixels, alpha = _decoded(image, orientation, limit, notes)
        file.seek(0)
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    return Picture(pixels, alpha, Path(path).name, digest.hexdigest(), tuple(notes), _dpi(image))


def _dpi(image: Image.Image | DeepTiff) -> tuple[float, float] | None:
    """Return the dots per inch that a picture states, if they are plausible."""
    try:
        if image.format == "JPEG" and not image.info.get("jfif_unit") and _X_RESOLUTION not in image.getexif():
            return None  # Pillow then makes it 72
        across, down = map(float, image.info["dpi"])
    except Exception:  # no dots per inch, or corrupt EXIF data, which does not make the picture unusable
        return None
    return (across, down) if all(1 < dots <= MAX_DPI for dots in (across, down)) else None


def from_pillow(image: Image.Image, max_side: int | None = None) -> Picture:
    """Return a Pillow image as a ``Picture``, as `read` returns a file: upright, in sRGB, shrunk to fit.

    Raises:
        ImageError: it cannot be decoded, or has no pixels.
    """
    notes: list[str] = []
    try:
        image.load()
        if 0 in image.size:
            raise ValueError("it has no pixels")
        pixels, alpha = _decoded(image, _orientation_tag(image), _limit(max_side), notes)
    except Exception as error:  # it may read from a file, and decoders raise all kinds
        raise ImageError(f"the image cannot be decoded ({error})") from error
    return Picture(pixels, alpha, "picture", "", tuple(notes), _dpi(image))


def upright_size(image: Image.Image) -> tuple[int, int]:
    """Return the (height, width) of a Pillow image when it is upright."""
    width, height = image.size
    return (width, height) if _orientation_tag(image) in (5, 6, 7, 8) else (height, width)


def size(path: str | os.PathLike[str], max_side: int | None = None) -> tuple[int, int]:
    """Return the (height, width) of the picture that `read` would return, from the header alone.

    Raises:
        ImageError: as `read`, except for damage after the header.
    """
    limit = _limit(max_side)
    with _opened(path) as (file, image):
        width, height = _stored_size(image)
        if _orientation(file, image) in (5, 6, 7, 8):
            width, height = height, width
    return fit(height, width, limit)


def _limit(max_side: int | None) -> int:
    if max_side is not None and max_side < 1:
        raise ValueError(f"max_side must be at least 1, not {max_side}")
    return max_side or MAX_PIXELS


def _decoded(
    image: Image.Image, orientation: int, limit: int, notes: list[str]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the pixels and the alpha of a ``Picture`` from a loaded Pillow image."""
    rgb = to_srgb(image, notes)
    if rgb.mode == "F":
        return _fitted([np.asarray(rgb)], orientation, limit), None
    values = np.asarray(_upright(rgb, orientation, limit))
    return np.array(values[..., :3]), values[..., 3] / np.float32(255) if rgb.mode == "RGBA" else None


def _fitted(planes: Sequence[np.ndarray], orientation: int, limit: int) -> np.ndarray:
    """Return one or three planes of floats, 0 black and 1 white, as the pixels of a ``Picture``."""
    upright = [np.asarray(_upright(Image.fromarray(plane), orientation, limit)) for plane in planes]
    return (np.dstack(upright * (3 // len(upright))) * 2 - 1).clip(-1, 1)


def _upright(image: Image.Image, orientation: int, limit: int) -> Image.Image:
    height, width = fit(image.height, image.width, limit)
    image = image.resize((width, height), Image.Resampling.LANCZOS)
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image


def _frame_notes(image: ImageFile | DeepTiff) -> list[str]:
    frames = getattr(image, "n_frames", 1)
    if frames == 1 or image.format == "MPO":  # an MPO is a camera's JPEG followed by its preview
        return []
    if image.format in ("TIFF", "HEIF"):
        return [f"has {frames} {'pages' if image.format == 'TIFF' else 'pictures'}: only the first is used"]
    return [f"animated: only the first of {frames} frames is used"]


def fit(height: int, width: int, limit: int) -> tuple[int, int]:
    """Return (height, width), shrunk if necessary to a longer side of ``limit``."""
    longest = max(height, width)
    if longest <= limit:
        return height, width
    return max(1, round(height * limit / longest)), max(1, round(width * limit / longest))


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, ImageFile | DeepTiff]]:
    """Open a picture. Any error here or in the body becomes an ImageError; Pillow's warnings are dropped."""
    with open_file(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        large = f"{path}: too large; expected at most {MAX_PIXELS:,} pixels that fit into memory. Shrink it first"
        try:
            image = identify(path, file)
            width, height = _stored_size(image)
            if width * height > MAX_PIXELS:
                raise ImageError(f"{large} (its header says {width} x {height})")
            yield file, image
        except ImageError:
            raise
        except (Image.DecompressionBombError, MemoryError) as error:
            raise ImageError(large) from error
        except Exception as error:  # decoders raise all kinds: OSError, SyntaxError, struct.error, IndexError ...
            raise ImageError(f"{path}: {trouble(file, error)}") from error


def _stored_size(image: ImageFile | DeepTiff) -> tuple[int, int]:
    """Return (width, height) before any rotation, which Pillow 11 and later apply to the `size` of a TIFF."""
    return (image.tag_v2[256], image.tag_v2[257]) if isinstance(image, TiffImageFile) else image.size


def _check_strips(image: ImageFile) -> None:
    """Raise ValueError if a TIFF has too few strips or tiles; Pillow would leave the rest black."""
    width, height = _stored_size(image)
    covered = 0
    for _, extents, *_ in image.tile:
        left, top, right, bottom = extents or (0, 0, 0, 0)
        covered += (right - left) * (bottom - top)
    if covered < width * height:
        raise ValueError("its strips do not cover the picture")


def _orientation(file: BinaryIO, image: ImageFile | DeepTiff) -> int:
    """Return the EXIF orientation, 1 to 8, without decoding pixels."""
    if not isinstance(image, DeepTiff) and image.format == "PNG" and "exif" not in image.info:
        # Pillow would decode the whole picture to find a chunk after the pixels, where exiftool writes it.
        exif = b""
        for kind, offset, length in png_chunks(file):
            if kind == b"eXIf":
                file.seek(offset)
                exif = file.read(min(length, 2**16))
        image.info["exif"] = exif
    return _orientation_tag(image)


def _orientation_tag(image: Image.Image | DeepTiff) -> int:
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # corrupt EXIF data does not make the picture unusable
        return 1
