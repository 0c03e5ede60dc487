"""The recipe inside a picture.

It is an iTXt chunk of a PNG, comment segments of a JPEG, a comment of a GIF, the description of a TIFF or of a WebP's
EXIF data.
"""

from __future__ import annotations

import io
import os
import zlib
from typing import Any, BinaryIO

from PIL import Image

from kerasdream._files import open_file
from kerasdream.errors import ImageError
from kerasdream.images.deep_tiff import tags_of
from kerasdream.images.files import (
    GIF_SIGNATURES,
    JPEG_SIGNATURE,
    PNG_SIGNATURE,
    TIFF_SIGNATURES,
    gif_comments,
    jpeg_segments,
    png_chunks,
    webp_chunks,
)
from kerasdream.images.reading import size

KEYWORD = "kerasdream"
MAX_RECIPE_BYTES = 2**24
"""Longest recipe written to or read from a picture, in bytes of UTF-8."""

DESCRIPTION = 270
"""The tag ImageDescription of TIFF and EXIF."""

_PNG_KEY = KEYWORD.encode() + b"\0"
_JPEG_KEY = _GIF_KEY = _DESCRIPTION_KEY = KEYWORD.encode() + b"\n"
_COMMENT = 0xFE
_PIECE = 65_533 - len(_JPEG_KEY)  # a segment holds up to 65,533 bytes


def read_recipe(path: str | os.PathLike[str]) -> str | None:
    """Return the recipe inside a PNG, JPEG, GIF, TIFF or WebP that kerasdream wrote, or None if the picture has none.

    Only the structure of the file is read: no pixels are decoded, and at most `MAX_RECIPE_BYTES` are decompressed.

    Raises:
        ImageError: the file is not a picture or is corrupt, or its recipe is too long or not UTF-8.
    """
    with open_file(path) as file:
        start = file.read(len(PNG_SIGNATURE))
        try:
            if start == PNG_SIGNATURE:
                data = _from_png(file)
            elif start.startswith(JPEG_SIGNATURE):
                data = _from_jpeg(file)
            elif start.startswith(GIF_SIGNATURES):
                data = _from_gif(file)
            elif start.startswith(TIFF_SIGNATURES):
                size(path)
                data = _from_description(tags_of(file))
            elif start[:4] == b"RIFF":
                size(path)
                data = _from_webp(file)
            else:
                data = None
            if data is None:
                size(path)  # raises ImageError unless the file is a picture
                return None
            if len(data) > MAX_RECIPE_BYTES:
                raise ValueError(f"it is longer than {MAX_RECIPE_BYTES:,} bytes")
            return data.decode()
        except (ValueError, zlib.error) as error:
            raise ImageError(f"{path}: its recipe is corrupt ({error}); make the picture again") from error


def into_jpeg(picture: bytes, recipe: bytes) -> bytes:
    """Return the JPEG with the recipe added after its APP segments, in as many comment segments as needed."""
    segments = jpeg_segments(io.BytesIO(picture))
    place = next(offset - 4 for marker, offset, _ in segments if not 0xE0 <= marker <= 0xEF)
    pieces = [_JPEG_KEY + recipe[i : i + _PIECE] for i in range(0, len(recipe), _PIECE)]
    comments = b"".join(bytes([0xFF, _COMMENT]) + (len(p) + 2).to_bytes(2, "big") + p for p in pieces)
    return picture[:place] + comments + picture[place:]


def as_gif_comment(recipe: str) -> bytes:
    """Return a recipe as a comment for Pillow to write into a GIF."""
    return _GIF_KEY + recipe.encode()


def as_description(recipe: bytes) -> bytes:
    """Return a recipe as an ImageDescription for Pillow to write into a TIFF or EXIF."""
    return _DESCRIPTION_KEY + recipe


def _from_png(file: BinaryIO) -> bytes | None:
    for kind, offset, length in png_chunks(file):
        file.seek(offset)
        if kind != b"iTXt" or length < len(_PNG_KEY) or file.read(len(_PNG_KEY)) != _PNG_KEY:
            continue
        if length > MAX_RECIPE_BYTES + 1024:
            raise ValueError(f"it is longer than {MAX_RECIPE_BYTES:,} bytes")
        file.seek(offset)
        chunk, checksum = file.read(length), file.read(4)
        if zlib.crc32(kind + chunk) != int.from_bytes(checksum, "big"):
            raise ValueError("its checksum is wrong")
        flags, rest = chunk[len(_PNG_KEY) :][:2], chunk[len(_PNG_KEY) + 2 :]
        _language, _translation, text = rest.split(b"\0", 2)
        # save() never compresses, but another tool may have rewritten the chunk
        return zlib.decompressobj().decompress(text, MAX_RECIPE_BYTES + 1) if flags[:1] == b"\1" else text
    return None


def _from_jpeg(file: BinaryIO) -> bytes | None:
    found, data = False, bytearray()
    for marker, offset, length in jpeg_segments(file):
        if marker != _COMMENT:
            continue
        file.seek(offset)
        comment = file.read(length)
        if comment.startswith(_JPEG_KEY):
            found = True
            data += comment[len(_JPEG_KEY) :]
        if len(data) > MAX_RECIPE_BYTES:
            break
    return bytes(data) if found else None


def _from_gif(file: BinaryIO) -> bytes | None:
    for pieces in gif_comments(file):
        data = bytearray(next(pieces, b""))
        if data.startswith(_GIF_KEY):
            for piece in pieces:
                data += piece
                if len(data) > MAX_RECIPE_BYTES + len(_GIF_KEY):
                    break
            return bytes(data[len(_GIF_KEY) :])
    return None


def _from_webp(file: BinaryIO) -> bytes | None:
    for kind, offset, length in webp_chunks(file):
        if kind == b"EXIF":
            file.seek(offset)
            exif = Image.Exif()
            exif.load(file.read(min(length, MAX_RECIPE_BYTES + 4096)))
            return _from_description(exif)
    return None


def _from_description(tags: Any) -> bytes | None:
    text = tags.get(DESCRIPTION, "")
    data = text.encode("latin-1") if isinstance(text, str) else b""  # as which Pillow decodes any text
    return data[len(_DESCRIPTION_KEY) :] if data.startswith(_DESCRIPTION_KEY) else None
