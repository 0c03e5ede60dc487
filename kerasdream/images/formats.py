"""Which files are pictures: recognised by their first bytes; and what is said of those that are not, or not read."""

from __future__ import annotations

import codecs
import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from PIL import Image
from PIL.ImageFile import ImageFile
from PIL.TiffImagePlugin import TiffImageFile

from kerasdream.errors import ImageError
from kerasdream.images.deep_tiff import DeepTiff, is_planar_16, is_raw, tags_of
from kerasdream.images.files import TIFF_SIGNATURES

# Formats with a signature. Not EPS, because decoding it runs Ghostscript; not TGA, because it has no signature.
_FORMATS = ("PNG", "JPEG", "TIFF", "WEBP", "GIF", "BMP", "PPM", "JPEG2000", "AVIF")

_HEIF = 'read with an extra package: pip install "kerasdream[heif]"; or export it as JPEG or PNG'
_RAW = "a camera's raw file; develop it: export it as TIFF or JPEG"

_READ = (
    ".png",
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".webp",
    ".tif",
    ".tiff",
    ".bmp",
    ".gif",
    ".avif",
    ".jp2",
    ".ppm",
    ".pgm",
)
_HEIF_SUFFIXES = (".heic", ".heif", ".hif")
_OTHERS = {
    **dict.fromkeys((".cr2", ".cr3", ".nef", ".dng", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw"), _RAW),
    **dict.fromkeys((".svg", ".eps", ".pdf", ".psd", ".xcf", ".jxl", ".tga"), "export it as JPEG or PNG"),
}
"""Suffixes of photos and drawings that are not read -> what to do."""


def reads_heif() -> bool:
    """Whether HEIC photos can be read: whether ``pillow-heif`` is installed."""
    return importlib.util.find_spec("pillow_heif") is not None


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of the pictures that are looked for in a folder, in lower case."""
    return (*_READ, *_HEIF_SUFFIXES) if reads_heif() else _READ


def in_folder(folder: Path) -> list[Path]:
    """Return the pictures in a folder, by name; not those in folders inside it.

    Raises:
        ImageError: it does not exist, or it has no pictures.
    """
    if not folder.is_dir():
        raise ImageError(f"{folder} is not a folder; expected one with pictures in it")
    files = sorted(file for file in folder.iterdir() if file.is_file())
    if found := [file for file in files if file.suffix.lower() in suffixes()]:
        return found
    others = f" ({said})" if (said := left_out(file.name for file in files)) else ""
    raise ImageError(f"{folder} has no pictures{others}; expected files ending in {', '.join(suffixes())}")


def left_out(names: Iterable[str]) -> str:
    """Say which of these files are photos of a kind that cannot be read, and what to do; empty if there are none.

    Only suffixes are looked at.
    """
    reasons: dict[str, list[str]] = {}
    for name in sorted(names):
        suffix = os.path.splitext(name)[1].lower()
        reason = f"HEIC is {_HEIF}" if suffix in _HEIF_SUFFIXES and not reads_heif() else _OTHERS.get(suffix)
        if reason:
            reasons.setdefault(reason, []).append(name)
    return "; ".join(f"{_listed(files)}: {reason}" for reason, files in reasons.items())


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")
    return f"{len(names)} file{'s'[: len(names) > 1]}, {shown}"


def identify(path: str | os.PathLike[str], file: BinaryIO) -> ImageFile | DeepTiff:
    """Open a picture without decoding its pixels.

    Not with ``Image.open``: its size limit is global to the process, and it tries formats that are not wanted here.

    Raises:
        ImageError: it is not a picture, or one of a kind that is not read.
        Exception: it is damaged; of any kind.
    """
    head = file.read(512)
    if (
        head[4:8] == b"ftyp"
        and head[8:12] in (b"heic", b"heix", b"heim", b"heis", b"mif1")
        and b"avif" not in head[:64]
    ):
        return _heif(path, file)
    prefix = head[:16].ljust(16, b"\0")
    for prepare in (Image.preinit, Image.init):  # the common formats, then all of Pillow's, which takes longer
        prepare()
        for name in _FORMATS:
            factory, accept = Image.OPEN.get(name, (None, None))
            if factory and accept and accept(prefix) is True:
                file.seek(0)
                return _tiff(path, file) if name == "TIFF" else factory(file, "")
    raise ImageError(f"{path}: is not a picture that can be read, but {_seen(head)}; expected {', '.join(_FORMATS)}")


def _heif(path: str | os.PathLike[str], file: BinaryIO) -> ImageFile:
    try:
        from pillow_heif import HeifImageFile
    except ImportError:
        raise ImageError(f"{path}: is a HEIC photo, {_HEIF}") from None
    file.seek(0)
    image: ImageFile = HeifImageFile(file, "")
    return image


def _tiff(path: str | os.PathLike[str], file: BinaryIO) -> ImageFile | DeepTiff:
    tags = tags_of(file)
    file.seek(8)
    if is_raw(tags) or file.read(2) == b"CR":
        raise ImageError(f"{path}: is {_RAW}")
    if not is_planar_16(tags):
        file.seek(0)
        try:
            return TiffImageFile(file, "")
        except SyntaxError as error:
            if "unknown pixel mode" not in str(error):
                raise
    return DeepTiff(path, file)


def _seen(head: bytes) -> str:
    """Describe a file that is not a picture, from its first bytes."""
    for start, what in {
        b"%PDF": "a PDF; export its page as a picture",
        b"PK\x03\x04": "a zip archive or office document",
        b"\x1aE\xdf\xa3": "a video; take a frame of it",
        b"8BPS": "a Photoshop document; export it as JPEG or PNG",
        b"\xff\x0a": "a JPEG XL picture; export it as JPEG or PNG",
        b"\0\0\0\x0cJXL ": "a JPEG XL picture; export it as JPEG or PNG",
        **dict.fromkeys((b"FUJIFILMCCD-RAW", b"IIRO", b"IIRS", b"MMOR", b"IIU\0"), _RAW),
    }.items():
        if head.startswith(start):
            return what
    if head[4:8] == b"ftyp":
        if head[8:12] == b"crx ":
            return _RAW
        return f"{'an AVIF photo' if head[8:11] == b'avi' else 'a video'}; export it as JPEG or PNG"
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        text = "\0"
    return f"unknown data starting {head[:8].hex(' ')}" if "\0" in text else f"text starting {text[:30]!r}"


def trouble(file: BinaryIO, error: Exception) -> str:
    """Say why a picture's decoder failed: the file is cut short, of a kind that is not read, or damaged."""
    reason = str(error).strip().partition("\n")[0] or type(error).__name__
    if _is_cut_short(file) or "truncat" in reason.lower() or isinstance(error, EOFError):
        return "the file ends before its picture does: it was cut short; copy or export it again"
    if "not identified by this driver" in reason:
        return "its header is damaged, or it is without pixels; copy or export it again"
    if isinstance(error, NotImplementedError) or any(words in reason.lower() for words in _UNSUPPORTED):
        return f"is of a kind that Pillow does not read ({reason}); export it as an ordinary PNG or JPEG"
    return f"the picture is damaged ({reason}); copy or export it again"


_UNSUPPORTED = ("unknown pixel mode", "unsupported", "not supported", "cannot handle", "not available", "requires the")
"""What Pillow and tifffile say of a format's rarer kinds."""


def _is_cut_short(file: BinaryIO) -> bool:
    """Whether a file's own headers say that it should be longer."""
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(16)
    if head[:4] == b"RIFF":
        return int.from_bytes(head[4:8], "little") + 8 > length
    if head[:4] in TIFF_SIGNATURES[:2]:
        return int.from_bytes(head[4:8], "little" if head[:1] == b"I" else "big") >= length
    if head[4:8] not in (b"ftyp", b"jP  "):
        return False
    place = 0  # of a box: its length, including these 4 bytes, and its name
    for _ in range(1000):
        file.seek(place)
        size = int.from_bytes(file.read(4), "big")
        if size < 8:  # 0: to the end of the file; 1: a length of 64 bits follows
            return False
        place += size
        if place >= length:
            return place > length
    return False
