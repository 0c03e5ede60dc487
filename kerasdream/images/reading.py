"""Read pictures: decoded by Pillow, turned upright, converted to sRGB and shrunk to fit."""

from __future__ import annotations

import codecs
import hashlib
import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageCms
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from kerasdream._files import open_file
from kerasdream.errors import ImageError
from kerasdream.images.arrays import to_float
from kerasdream.images.files import png_chunks

MAX_PIXELS = 16384 * 16384
"""Largest picture that is decoded, 268 megapixels; a header that claims more is treated as an attack.

WebP and rotated TIFF stop at Pillow's own limit of 179 megapixels.
"""

_X_RESOLUTION = 0x011A  # in EXIF

MAX_DPI = 9600
"""Most dots per inch that are taken to be meant."""

# Formats with a signature. Not EPS, because decoding it runs Ghostscript; not TGA, because it has no signature.
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")

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
    palette, CMYK, Lab and transparent pictures. 16-bit grey and float pictures keep their precision; Pillow reads
    16-bit colour as 8 bits. Floats are sRGB values with 0 black and 1 white; if they exceed that range, they are
    rescaled so that the smallest is black and the largest white. Only the first frame or page of a file is read.

    Args:
        path: the file.
        max_side: longest side, in pixels. Larger pictures are shrunk (Lanczos, colours weighted by alpha); smaller
            ones are not enlarged.

    Raises:
        ImageError: the file is missing, unreadable, not a picture, corrupt, truncated, without pixels, or larger
            than `MAX_PIXELS`.
    """
    limit = _limit(max_side)
    notes: list[str] = []
    with _opened(path) as (file, image):
        frames, form = getattr(image, "n_frames", 1), image.format
        if frames > 1 and form == "TIFF":
            notes.append(f"has {frames} pages: only the first is used")
        elif frames > 1 and form != "MPO":  # an MPO is a camera's JPEG followed by its preview
            notes.append(f"animated: only the first of {frames} frames is used")
        orientation = _orientation(file, image)
        if form == "TIFF":
            _check_strips(image)
            orientation = 1  # Pillow applies it while decoding
        image.load()
        rgb = _to_srgb(image, notes)
        height, width = fit(rgb.height, rgb.width, limit)
        rgb = rgb.resize((width, height), Image.Resampling.LANCZOS)
        if orientation in _TURNS:
            rgb = rgb.transpose(_TURNS[orientation])
        values = np.asarray(rgb)
        if rgb.mode == "F":
            pixels, alpha = np.repeat(values[..., None] * 2 - 1, 3, axis=-1).clip(-1, 1), None
        else:
            alpha = values[..., 3] / np.float32(255) if rgb.mode == "RGBA" else None
            pixels = np.array(values[..., :3])
        file.seek(0)
        digest = hashlib.sha256()
        while block := file.read(2**20):
            digest.update(block)
    return Picture(pixels, alpha, Path(path).name, digest.hexdigest(), tuple(notes), _dpi(image))


def _dpi(image: Image.Image) -> tuple[float, float] | None:
    """Return the dots per inch that a picture states, if they are plausible."""
    try:
        if image.format == "JPEG" and not image.info.get("jfif_unit") and _X_RESOLUTION not in image.getexif():
            return None  # Pillow then makes it 72
        across, down = map(float, image.info["dpi"])
    except Exception:  # no dots per inch, or corrupt EXIF data, which does not make the picture unusable
        return None
    return (across, down) if all(1 < dots <= MAX_DPI for dots in (across, down)) else None


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


def fit(height: int, width: int, limit: int) -> tuple[int, int]:
    """Return (height, width), shrunk if necessary to a longer side of ``limit``."""
    longest = max(height, width)
    if longest <= limit:
        return height, width
    return max(1, round(height * limit / longest)), max(1, round(width * limit / longest))


@contextmanager
def _opened(path: str | os.PathLike[str]) -> Iterator[tuple[BinaryIO, ImageFile]]:
    """Open a picture. Any error here or in the body becomes an ImageError; Pillow's warnings are dropped."""
    with open_file(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        large = f"{path}: too large; expected at most {MAX_PIXELS:,} pixels that fit into memory. Shrink it first"
        try:
            image = _identify(path, file)
            width, height = _stored_size(image)
            if width * height > MAX_PIXELS:
                raise ImageError(f"{large} (its header says {width} x {height})")
            yield file, image
        except ImageError:
            raise
        except (Image.DecompressionBombError, MemoryError) as error:
            raise ImageError(large) from error
        except Exception as error:  # decoders raise all kinds: OSError, SyntaxError, struct.error, IndexError ...
            raise ImageError(
                f"{path}: the picture is corrupt, truncated or without pixels ({error}); copy or export it again"
            ) from error


def _identify(path: str | os.PathLike[str], file: BinaryIO) -> ImageFile:
    # Not Image.open: its size limit is global to the process, and it tries formats that are not wanted here.
    head = file.read(512)
    prefix = head[:16].ljust(16, b"\0")
    for prepare in (Image.preinit, Image.init):  # the common formats, then all of Pillow's, which takes longer
        prepare()
        for name in _FORMATS:
            factory, accept = Image.OPEN.get(name, (None, None))
            if factory and accept and accept(prefix) is True:
                file.seek(0)
                return factory(file, "")
    raise ImageError(f"{path}: is not a picture that can be read, but {_seen(head)}; expected {', '.join(_FORMATS)}")


def _seen(head: bytes) -> str:
    """Describe a file that is not a picture, from its first bytes."""
    for start, what in {
        b"%PDF": "a PDF; export its page as a picture",
        b"PK\x03\x04": "a zip archive or office document",
        b"\x1aE\xdf\xa3": "a video; take a frame of it",
    }.items():
        if head.startswith(start):
            return what
    if head[4:8] == b"ftyp":
        known = {b"heic": "a HEIC photo", b"heix": "a HEIC photo", b"mif1": "a HEIF photo", b"avif": "an AVIF photo"}
        return known.get(head[8:12], "a video") + "; export it as JPEG or PNG"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        text = "\0"
    return f"unknown data starting {head[:8].hex(' ')}" if "\0" in text else f"text starting {text[:30]!r}"


def _stored_size(image: ImageFile) -> tuple[int, int]:
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


def _orientation(file: BinaryIO, image: ImageFile) -> int:
    """Return the EXIF orientation, 1 to 8, without decoding pixels."""
    if image.format == "PNG" and "exif" not in image.info:
        # Pillow would decode the whole picture to find a chunk after the pixels, where exiftool writes it.
        exif = b""
        for kind, offset, length in png_chunks(file):
            if kind == b"eXIf":
                file.seek(offset)
                exif = file.read(min(length, 2**16))
        image.info["exif"] = exif
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # corrupt EXIF data does not make the picture unusable
        return 1


def _to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return the picture in mode RGB, RGBA (if any pixel is transparent) or F (deep grey, 0 black to 1 white)."""
    profile = image.info.get("icc_profile")
    if image.mode == "F" or image.mode.startswith("I"):
        if profile:
            notes.append("its colour profile was ignored: it has more than 8 bits per pixel")
        if image.has_transparency_data:
            notes.append("its transparent colour was ignored: it has more than 8 bits per pixel")
        return _deep_grey(image, notes)
    alpha = None
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    if profile:
        image = _apply_profile(image, profile, grey, notes)
    elif image.mode == "CMYK":
        notes.append("CMYK without a colour profile: colours are approximate")
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        image.putalpha(alpha)
    return image


def _deep_grey(image: Image.Image, notes: list[str]) -> Image.Image:
    values = np.asarray(image).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    white = 1.0 if image.mode == "F" else 65535.0
    if not np.isfinite([low, high]).all():
        raise ValueError("it has values that are not finite")
    if low < 0 or high > white:
        notes.append(f"its values range from {low:g} to {high:g} and were rescaled from black to white")
        return Image.fromarray((values - low) / ((high - low) or 1))
    return Image.fromarray(values / white)


def _apply_profile(image: Image.Image, profile: bytes, grey: bool, notes: list[str]) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        mode = "CMYK" if image.mode == "CMYK" else "L" if grey and space == "GRAY" else "RGB"
        if space != {"L": "GRAY"}.get(mode, mode):
            raise ValueError(f"a profile for {space}")
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image.convert(mode), source, srgb, outputMode="RGB")
        return image if converted is None else converted  # None only for inPlace=True
    except (ImageCms.PyCMSError, OSError, ValueError, ImportError):  # ImportError: Pillow built without LittleCMS
        notes.append("its colour profile was ignored: it is corrupt or does not fit")
        return image
