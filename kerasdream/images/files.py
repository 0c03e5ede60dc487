"""Walk the structure of PNG, JPEG, GIF and WebP files without decoding pixels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from kerasdream.errors import ImageError

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
GIF_SIGNATURES = b"GIF87a", b"GIF89a"

TIFF_SIGNATURES = b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"

MAX_PARTS = 1_000_000
"""Most chunks or segments read from one file: enough for an 8 GB PNG in the usual 8 kB chunks, and still an end."""


def png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, offset of the data, length of the data) of every chunk; the caller may seek in between.

    Raises:
        ImageError: the file ends before its last chunk.
    """
    position = len(PNG_SIGNATURE)
    for _ in range(MAX_PARTS):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            raise ImageError(f"{file.name}: the PNG file is truncated; copy or export it again")
        kind, length = head[4:], int.from_bytes(head[:4], "big")
        yield kind, position + 8, length
        if kind == b"IEND":
            return
        position += length + 12
    raise ImageError(f"{file.name}: the PNG file has over {MAX_PARTS:,} chunks; export it again")


def jpeg_segments(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, offset of the data, length of the data) of the segments before the pixels.

    Raises:
        ImageError: the file ends before its pixels, or is not a chain of segments.
    """
    position = 2
    for _ in range(MAX_PARTS):
        file.seek(position)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            raise ImageError(f"{file.name}: the JPEG file is truncated or corrupt; copy or export it again")
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        yield marker, position + 4, max(length - 2, 0)
        if marker in (0xDA, 0xD9):  # the pixels, the end
            return
        position += 2 + length
    raise ImageError(f"{file.name}: the JPEG file has over {MAX_PARTS:,} segments; export it again")


def webp_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yield (type, offset of the data, length of the data) of every chunk of a WebP; the caller may seek in between.

    It ends where the file ends.
    """
    position = 12
    for _ in range(MAX_PARTS):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            return
        length = int.from_bytes(head[4:], "little")
        yield head[:4], position + 8, length
        position += 8 + length + length % 2


def gif_comments(file: BinaryIO) -> Iterator[Iterator[bytes]]:
    """Yield each comment before the pixels, as pieces of at most 255 bytes; pieces left unread are skipped.

    Raises:
        ImageError: the file ends before its pixels, or is not a chain of blocks.
    """
    file.seek(10)
    (flags,) = file.read(1) or b"\0"
    file.seek(13 + (3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0))
    for _ in range(MAX_PARTS):
        kind = file.read(1)
        if kind in (b",", b";"):  # a picture, the end
            return
        label = file.read(1)
        if kind != b"!" or not label:
            raise ImageError(f"{file.name}: the GIF file is truncated or corrupt; copy or export it again")
        pieces = _sub_blocks(file)
        if label == b"\xfe":
            yield pieces
        for _piece in pieces:
            pass
    raise ImageError(f"{file.name}: the GIF file has over {MAX_PARTS:,} blocks; export it again")


def _sub_blocks(file: BinaryIO) -> Iterator[bytes]:
    while length := file.read(1):
        if length == b"\0":
            return
        yield file.read(length[0])
    raise ImageError(f"{file.name}: the GIF file is truncated; copy or export it again")
