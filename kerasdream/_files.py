"""Open and replace files on disk, with one clear error for each failure."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kerasdream.errors import ImageError, OutputError, did_you_mean

LONGEST_NAME = 255
"""Bytes of the longest name of a file or folder; to look for a longer one fails in a way of its own."""


def is_too_long(path: str | os.PathLike[str]) -> bool:
    """Whether a path has a name that no file can have."""
    return any(len(os.fsencode(part)) > LONGEST_NAME for part in Path(path).parts)


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file for reading bytes.

    Raises:
        ImageError: it is missing (the message suggests the nearest name), empty, not a regular file, or unreadable.
    """
    try:
        status = os.stat(path)
        if stat.S_ISDIR(status.st_mode):
            raise ImageError(f"{path}: is a folder; expected a picture. Name a file, or a pattern such as {path}/*.jpg")
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would block
            raise ImageError(f"{path}: is not a regular file; expected a picture")
        if status.st_size == 0:
            raise ImageError(f"{path}: the file is empty; expected a picture. Copy or export it again")
        return open(path, "rb")
    except FileNotFoundError:
        raise ImageError(f"{path}: there is no such file; {_nearest(Path(path))}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = getattr(error, "strerror", None) or error
        raise ImageError(f"{path}: cannot be opened ({reason}); check the path and your permissions") from error


def _nearest(path: Path) -> str:
    try:
        with os.scandir(path.parent) as entries:
            return did_you_mean(path.name, sorted(entry.name for entry in entries if entry.is_file()))
    except OSError:
        return f"there is no readable folder {path.parent}"


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a temporary file that atomically replaces ``path`` on success; on failure, ``path`` is unchanged.

    A link is followed: the file it points to is replaced.

    Raises:
        OutputError: the folder is missing or not writable, or the disk is full.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # replacing would destroy it, for example /dev/null
        raise OutputError(f"{path}: is not a regular file, so it cannot be written; choose another name")
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
            raise OutputError(f"{path}: cannot be written ({error.strerror}); choose another folder") from error
        raise
