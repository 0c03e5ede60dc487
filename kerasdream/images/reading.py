"""Reading pictures: whatever Pillow decodes, turned upright, brought to sRGB and, if asked, shrunk."""

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
from typing import TYPE_CHECKING, BinaryIO

from kerasdream._files import open_file
from kerasdream.errors import ImageError
from kerasdream.images.arrays import to_float
from kerasdream.images.files import png_chunks

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image
    from PIL.ImageFile import ImageFile

MAX_PIXELS = 16384 * 16384
"""The largest picture that is decoded, 268 megapixels: a header that claims more is taken for an attack.

WebP and turned TIFF end at Pillow's own limit of 179 megapixels.
"""

# Formats with a signature; EPS is left out because decoding it runs Ghostscript, TGA because it has none.
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")

# EXIF orientation -> what undoes it (a member of PIL.Image.Transpose)
_TURNS = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


@dataclass(frozen=True)
class Picture:
    """A decoded picture, upright and in sRGB.

    Attributes:
        stored: (height, width, 3) RGB in the type that the file has: uint8 levels, or float32 in [-1, 1].
        alpha: (height, width) float32 in [0, 1], or None if the picture is opaque.
        name: base name of the file.
        sha256: hex digest of the file's bytes.
        notes: what was done to it that the user should hear of.
    """

    stored: np.ndarray
    alpha: np.ndarray | None
    name: str
    sha256: str
    notes: tuple[str, ...]

    @property
    def pixels(self) -> np.ndarray:
        """The picture as (height, width, 3) float32 in [-1, 1], made anew from uint8 levels."""
        return to_float(self.stored)


def read(path: str | os.PathLike, max_side: int | None = None) -> Picture:
    """Reads a picture: turned as its EXIF orientation says, in sRGB, shrunk to fit.

    Read are PNG, JPEG, TIFF, WebP, GIF, BMP, PPM, JPEG 2000 and, where Pillow can, AVIF; grey, palette, CMYK, Lab and
    transparent ones too. 16-bit grey and float pictures keep their precision; 16-bit colour is read as 8 bits, which
    is what Pillow does. Floats are taken as sRGB values with 0 black and 1 white; if they leave that range, they are
    stretched from their least to their largest. Of an animation or a document with pages, the first one is read.

    Args:
        path: the file.
        max_side: shrinks the picture (Lanczos, colours weighted by alpha) so that its longer side has at most this
            many pixels; never enlarges.

    Raises:
        ImageError: if the file is missing, unreadable, no picture, broken, cut short, without pixels, or larger than
            `MAX_PIXELS`.
    """
    import numpy as np
    from PIL import Image

    limit = _limit(max_side)
    notes: list[str] = []
    with _opened(path) as (file, image):
        frames, form = getattr(image, "n_frames", 1), image.format
        if frames > 1 and form == "TIFF":
            notes.append(f"has {frames} pages: only the first is dreamed")
        elif frames > 1 and form != "MPO":  # a camera's JPEG with its preview behind it
            notes.append(f"animated: only the first of {frames} frames is dreamed")
        orientation = _orientation(file, image)
        if form == "TIFF":
            _check_strips(image)
            orientation = 1  # Pillow turns it while decoding
        image.load()
        rgb = _to_srgb(image, notes)
        height, width = fit(rgb.height, rgb.width, limit)
        rgb = rgb.resize((width, height), Image.Resampling.LANCZOS)
        if orientation in _TURNS:
            rgb = rgb.transpose(Image.Transpose[_TURNS[orientation]])
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
    return Picture(pixels, alpha, Path(path).name, digest.hexdigest(), tuple(notes))


def size(path: str | os.PathLike, max_side: int | None = None) -> tuple[int, int]:
    """Returns the (height, width) that `read` would give, from the header alone: no pixel is decoded.

    Raises:
        ImageError: as `read`, except for damage behind the header.
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
    """Returns (height, width) shrunk, if need be, to a longer side of ``limit``."""
    longest = max(height, width)
    if longest <= limit:
        return height, width
    return max(1, round(height * limit / longest)), max(1, round(width * limit / longest))


@contextmanager
def _opened(path: str | os.PathLike) -> Iterator[tuple[BinaryIO, ImageFile]]:
    """Opens a picture. Whatever goes wrong, here or in the body, is an ImageError; Pillow's warnings are dropped."""
    with open_file(path) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from PIL import Image

        large = (
            f"{path}: is too large; expected at most {MAX_PIXELS:,} pixels, and memory to hold them. Shrink it first"
        )
        try:
            image = _identify(path, file)
            width, height = _stored_size(image)
            if width * height > MAX_PIXELS:
                raise ImageError(f"{large}: its header says {width} x {height}")
            yield file, image
        except ImageError:
            raise
        except (Image.DecompressionBombError, MemoryError) as error:
            raise ImageError(large) from error
        except Exception as error:  # decoders raise anything: OSError, SyntaxError, struct.error, IndexError ...
            raise ImageError(
                f"{path}: the picture is broken, cut short or without pixels ({error}); copy or export it again"
            ) from error


def _identify(path: str | os.PathLike, file: BinaryIO) -> ImageFile:
    # Not Image.open: it judges sizes by a limit that is global to the process, and tries formats we do not want.
    from PIL import Image

    head = file.read(512)
    prefix = head[:16].ljust(16, b"\0")
    for prepare in (Image.preinit, Image.init):  # the common formats; then, which takes longer, all that Pillow knows
        prepare()
        for name in _FORMATS:
            factory, accept = Image.OPEN.get(name, (None, None))
            if factory and accept(prefix) is True:
                file.seek(0)
                return factory(file, "")
    raise ImageError(f"{path}: is not a picture that can be read, but {_seen(head)}; expected {', '.join(_FORMATS)}")


def _seen(head: bytes) -> str:
    """Says what a file that is no picture looks like, by its first bytes."""
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
    """(width, height) before any turning; Pillow's own `size` of a TIFF is turned from version 11 on."""
    return (image.tag_v2[256], image.tag_v2[257]) if image.format == "TIFF" else image.size


def _check_strips(image: ImageFile) -> None:
    """Raises ValueError for a TIFF with too few strips or tiles: Pillow would leave the rest black."""
    width, height = _stored_size(image)
    if sum((right - left) * (low - top) for _, (left, top, right, low), *_ in image.tile) < width * height:
        raise ValueError("its strips do not cover it")


def _orientation(file: BinaryIO, image: ImageFile) -> int:
    """The EXIF orientation, 1 to 8, without decoding pixels."""
    if image.format == "PNG" and "exif" not in image.info:
        # Pillow would decode the whole picture to find a chunk behind the pixels (exiftool writes it there)
        exif = b""
        for kind, offset, length in png_chunks(file):
            if kind == b"eXIf":
                file.seek(offset)
                exif = file.read(min(length, 2**16))
        image.info["exif"] = exif
    try:
        return int(image.getexif().get(0x0112, 1))
    except Exception:  # broken EXIF is no reason to refuse a picture
        return 1


def _to_srgb(image: Image, notes: list[str]) -> Image:
    """Returns the picture in mode RGB, RGBA (if anything is transparent) or F (deep grey, 0 black to 1 white)."""
    profile = image.info.get("icc_profile")
    if image.mode == "F" or image.mode.startswith("I"):
        if profile:
            notes.append("its colour profile was ignored: it has more than 8 bits a pixel")
        if image.has_transparency_data:
            notes.append("its transparent colour was ignored: it has more than 8 bits a pixel")
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
        notes.append("CMYK without a colour profile: its colours are approximate")
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        image.putalpha(alpha)
    return image


def _deep_grey(image: Image, notes: list[str]) -> Image:
    import numpy as np
    from PIL import Image

    values = np.asarray(image).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    white = 1.0 if image.mode == "F" else 65535.0
    if not np.isfinite([low, high]).all():
        raise ValueError("it holds values that are not finite")
    if low < 0 or high > white:
        notes.append(f"its values run from {low:g} to {high:g} and were stretched from black to white")
        return Image.fromarray((values - low) / ((high - low) or 1))
    return Image.fromarray(values / white)


def _apply_profile(image: Image, profile: bytes, grey: bool, notes: list[str]) -> Image:
    from PIL import ImageCms

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        mode = "CMYK" if image.mode == "CMYK" else "L" if grey and space == "GRAY" else "RGB"
        if space != {"L": "GRAY"}.get(mode, mode):
            raise ValueError(f"a profile for {space}")
        return ImageCms.profileToProfile(image.convert(mode), source, ImageCms.createProfile("sRGB"), outputMode="RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, ImportError):  # ImportError: Pillow built without LittleCMS
        notes.append("its colour profile is broken or does not fit, and was ignored")
        return image
