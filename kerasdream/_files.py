"""Open and replace files on disk: regular files only, and one clear error for each failure."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from kerasdream.errors import ImageError, OutputError, did_you_mean

LONGEST_NAME, LONGEST_PATH = 255, 4095
"""Bytes of the longest name of a file or folder, and of the longest path; to look for a longer one fails in a way of
its own."""

OF_THE_SYSTEM = "/proc/", "/sys/"
"""Where Linux shows its own state as if it were files. Some of them have no end."""


def is_too_long(path: str | os.PathLike[str]) -> bool:
    """Whether a path has a name that no file can have, or is longer than a path can be."""
    names = map(len, map(os.fsencode, Path(path).parts))
    return len(os.fsencode(path)) > LONGEST_PATH or any(length > LONGEST_NAME for length in names)


def at_home(path: str | os.PathLike[str]) -> Path:
    """Return a path with a leading ``~`` written out; that of a user whom the system does not know stays as it is."""
    return Path(os.path.expanduser(path))


def regular(path: str | os.PathLike[str]) -> os.stat_result:
    """Return the facts about a regular file; links are followed.

    To be called before a path that a user or a file names is opened: to open a pipe waits for its other end, and a
    device may have no end itself.

    Raises:
        OSError: it is missing, a folder, or a device, pipe, socket or file of the system's; ``strerror`` says which.
    """
    try:
        status = os.stat(path)
    except ValueError:
        raise OSError(errno.EINVAL, "its name has a null character") from None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder", os.fspath(path))
    if not stat.S_ISREG(status.st_mode) or os.path.realpath(path).startswith(OF_THE_SYSTEM):
        raise OSError(errno.EINVAL, "it is not a regular file", os.fspath(path))
    return status


def is_regular(path: str | os.PathLike[str]) -> bool:
    """Whether there is a regular file at a path; links are followed."""
    try:
        regular(path)
    except OSError:
        return False
    return True


def not_to_be_opened(path: Path) -> str:
    """Return why a path that a file names must not be opened; nothing if it may be, or is missing, or is a folder."""
    if is_too_long(path):
        return f"expected a file name of at most {LONGEST_NAME} bytes, not {path.name[:30]}..."
    if path.exists() and not path.is_dir() and not is_regular(path):
        return f"expected a regular file: {path} is a device, a pipe or a file of the system's"
    return ""


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading bytes.

    Raises:
        OSError: as ``regular``, or it is not readable.
    """
    regular(path)
    return open(path, "rb")


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a picture for reading bytes.

    Raises:
        ImageError: it is missing (the message suggests the nearest name), empty, not a regular file, or unreadable.
    """
    try:
        if regular(path).st_size == 0:
            raise ImageError(f"{path}: the file is empty; expected a picture. Copy or export it again")
        return open(path, "rb")
    except IsADirectoryError:
        text = f"{path}: is a folder; expected a picture. Name a file, or a pattern such as {path}/*.jpg"
        raise ImageError(text) from None
    except FileNotFoundError:
        raise ImageError(f"{path}: there is no such file; {_nearest(Path(path))}") from None
    except OSError as error:
        if error.errno == errno.EINVAL and os.path.exists(path):
            raise ImageError(f"{path}: is not a regular file; expected a picture") from None
        raise ImageError(f"{path}: cannot be opened ({error.strerror}); check the path and your permissions") from error


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
