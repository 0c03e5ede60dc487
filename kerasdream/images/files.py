"""Files on disk: opened and replaced with one clear error each, and walked without decoding a pixel."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kerasdream.errors import ImageError, OutputError, did_you_mean

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8\xff"
GIF_SIGNATURES = b"GIF87a", b"GIF89a"

MAX_PARTS = 1_000_000
"""Chunks or segments looked at in one file: an 8 GB PNG in the usual pieces of 8 kB, and no endless walk."""


def open_file(path: str | os.PathLike) -> BinaryIO:
    """Opens a file for reading bytes.

    Raises:
        ImageError: if it is missing (with the nearest name in its folder), empty, not a file or not readable.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path}: is a folder; expected a picture. Name a file, or a pattern such as {path}/*.jpg")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise ImageError(f"{path}: is not an ordinary file; expected a picture")
        if status.st_size == 0:
            raise ImageError(f"{path}: the file is empty; expected a picture. Copy or export it again")
        return open(path, "rb")
    except FileNotFoundError:
        raise ImageError(f"{path}: there is no such file; {_nearest(Path(path))}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path}: cannot be opened ({reason}); check the path and your right to read it") from error


def _nearest(path: Path) -> str:
    try:
        with os.scandir(path.parent) as entries:
            return did_you_mean(path.name, sorted(entry.name for entry in entries if entry.is_file()))
    except OSError:
        return f"there is no folder {path.parent} that can be listed"


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[BinaryIO]:
    """Opens a file to write that takes the place of another in one go: after any failure the old one is still there,
    and nothing else.

    A link is followed: the file it points to is replaced.

    Raises:
        OutputError: if the folder is missing or cannot be written, or the disk is full.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # replacing would destroy it: think of /dev/null
        raise OutputError(f"{path}: is not an ordinary file, so nothing can be written there; choose another name")
    target = Path(os.path.realpath(path))
    part = target.with_name(f".kerasdream-{secrets.token_hex(8)}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException as error:
        with suppress(OSError):
            part.unlink()
        if isinstance(error, FileNotFoundError):
            raise OutputError(f"{path}: there is no folder {target.parent}; create it, or choose another") from error
        if isinstance(error, OSError):
            raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another place") from error
        raise


def png_chunks(file: BinaryIO) -> Iterator[tuple[bytes, int, int]]:
    """Yields (type, offset of the data, length of the data) of every chunk; the file may be moved in between.

    Raises:
        ImageError: if the file ends before its last chunk.
    """
    position = len(PNG_SIGNATURE)
    for _ in range(MAX_PARTS):
        file.seek(position)
        head = file.read(8)
        if len(head) < 8:
            raise ImageError(f"{file.name}: the PNG file is cut short; copy or export it again")
        kind, length = head[4:], int.from_bytes(head[:4], "big")
        yield kind, position + 8, length
        if kind == b"IEND":
            return
        position += length + 12
    raise ImageError(f"{file.name}: the PNG file has over {MAX_PARTS:,} chunks; export it again")


def jpeg_segments(file: BinaryIO) -> Iterator[tuple[int, int, int]]:
    """Yields (marker, offset of the data, length of the data) of the segments before the pixels.

    Raises:
        ImageError: if the file ends before its pixels, or is no chain of segments.
    """
    position = 2
    for _ in range(MAX_PARTS):
        file.seek(position)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            raise ImageError(f"{file.name}: the JPEG file is cut short or broken; copy or export it again")
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        yield marker, position + 4, max(length - 2, 0)
        if marker in (0xDA, 0xD9):  # the pixels, the end
            return
        position += 2 + length
    raise ImageError(f"{file.name}: the JPEG file has over {MAX_PARTS:,} segments; export it again")


def gif_comments(file: BinaryIO) -> Iterator[Iterator[bytes]]:
    """Yields each comment before the pixels, as pieces of at most 255 bytes; what is left of one is skipped.

    Raises:
        ImageError: if the file ends before its pixels, or is no chain of blocks.
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
            raise ImageError(f"{file.name}: the GIF file is cut short or broken; copy or export it again")
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
    raise ImageError(f"{file.name}: the GIF file is cut short; copy or export it again")
