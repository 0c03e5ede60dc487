"""Files that cannot be read: one clear error each, whatever is wrong with them."""

import contextlib
import errno
import io
import os
import struct
import sys
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from kerasdream import _files, images
from kerasdream.errors import ImageError
from tests.images.pictures import CAT, GREY, HEIGHT, exif, off, png, put, rejected, swapped_profile


def test_missing_file_suggests_the_nearest_name(tmp_path):
    put(tmp_path / "holiday.png", CAT)
    rejected(tmp_path / "holliday.png", "there is no such file; did you mean 'holiday.png'")
    rejected(tmp_path / "nowhere" / "holiday.png", "no .*folder .*nowhere")
    rejected(tmp_path / "holiday.png" / "x.png", "cannot be opened")


def test_folder_pipe_and_empty_file_are_rejected(tmp_path):
    rejected(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe.png")
    rejected(tmp_path / "pipe.png", "not a regular file")
    (tmp_path / "empty.png").touch()
    rejected(tmp_path / "empty.png", "empty")


def test_impossible_file_names(tmp_path):
    rejected(tmp_path / "nul\0.png", "cannot be opened")
    rejected(tmp_path / ("x" * 300 + ".png"), "cannot be opened")


def test_unreadable_file(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = put(tmp_path / "cat.png", CAT)
    monkeypatch.setattr(_files, "open", denied, raising=False)  # root may read what chmod forbids
    rejected(path, "Permission denied")


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        ("Größe: {}\n".format("é" * 300).encode(), "text starting 'Größe"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 'text starting "<svg'),
        (b"P", "text starting 'P'"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\0\0\0\x18ftypcrx \0\0\0\0", "a camera's raw file"),
        (b"FUJIFILMCCD-RAW 0201", "a camera's raw file"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x7fELF\x02\x01\x01\0rest", "unknown data starting 7f 45 4c 46"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "text starting '%!PS"),  # Ghostscript must not run
    ],
)
def test_error_describes_what_the_file_is(tmp_path, data, seen):
    path = tmp_path / "cat.jpg"
    path.write_bytes(data)
    rejected(path, f"is not a picture.*{seen}", (images.read, images.size, images.read_recipe))


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp", "gif", "bmp", "ppm", "jp2"])
@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_truncated_picture_is_rejected(tmp_path, ending, kept):
    path = put(tmp_path / f"cut.{ending}", CAT)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    rejected(
        path,
        "ends before its picture does|damaged .*broken data" if ending == "jp2" else "was cut short|is truncated",
        (images.read,),
    )


@pytest.mark.parametrize("compression", ["tiff_lzw", "jpeg"])
def test_truncated_tiff_whose_header_follows_its_pixels_is_called_cut_short(tmp_path, compression):
    path = put(tmp_path / "cut.tif", CAT, compression=compression)
    path.write_bytes(path.read_bytes()[:-500])
    rejected(path, "was cut short")


def test_heic_without_its_package_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    path = tmp_path / "photo.heic"
    path.write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0")
    rejected(path, r'is a HEIC photo, read with .* pip install "kerasdream\[heif\]"', (images.read, images.size))


def test_preview_in_a_raw_file_is_not_taken_for_the_photo(tmp_path):
    path = put(tmp_path / "photo.tif", CAT, tiffinfo={50706: b"\1\4\0\0"})  # DNGVersion
    rejected(path, "is a camera's raw file; develop it")
    path = put(tmp_path / "photo.tif", CAT, tiffinfo={254: 1})  # NewSubfileType: a reduced copy of another page
    rejected(path, "is a camera's raw file; develop it")


def test_corrupt_compressed_TIFF_is_rejected(tmp_path):  # noqa: N802
    path = put(tmp_path / "cut.tif", CAT, compression="tiff_lzw")
    data = path.read_bytes()
    path.write_bytes(data.replace(data[2000:3000], bytes(1000)))  # its header lies behind the pixels
    rejected(path, "is damaged", (images.read,))


@pytest.mark.parametrize("orientation", [1, 6])
def test_tiff_with_too_few_strips_is_rejected(tmp_path, orientation):
    path = put(tmp_path / "strips.tif", CAT, exif=exif(orientation))
    assert images.read(path).pixels.size == CAT.size
    data = bytearray(path.read_bytes())
    height = data.index(struct.pack("<H", 257), 10) + 8  # the value of the tag ImageLength
    assert data[height] == HEIGHT
    data[height] += 1
    path.write_bytes(data)
    rejected(path, "is damaged .its strips", (images.read,))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("none.png", png((0, 0), 2, (b"IDAT", zlib.compress(b"")))),
        ("none.pgm", b"P5 0 0 255\n"),
        ("none.gif", b"GIF89a" + bytes(7) + b";"),
        ("none.bmp", b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 0, 0, 1, 24, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_picture_without_pixels_is_rejected(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    rejected(tmp_path / name, "without pixels|no more images")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bomb.png", png((60_000, 60_000), 0, (b"IDAT", zlib.compress(bytes(60_001))))),
        ("bomb.pgm", b"P5 100000 100000 255\n" + bytes(100)),
        ("bomb.bmp", b"BM" + struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_decompression_bomb_is_rejected_by_its_header(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    rejected(tmp_path / name, "too large.*268,435,456")


def test_picture_over_the_limit_of_pillow_is_read(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(png((16_000, 16_000), 0))  # Pillow's own limit is 179 megapixels; it warns from 89 on
    assert images.size(path) == (16_000, 16_000)
    picture = images.read(put(path, Image.new("L", (10_000, 9_000), 77)), max_side=20)
    assert off(picture, np.full((18, 20, 3), 77)) < 1e-4


@pytest.mark.parametrize("step", ["convert", "resize"])
def test_running_out_of_memory_is_an_image_error(tmp_path, monkeypatch, step):
    def full(*_):
        raise MemoryError

    path = put(tmp_path / "cat.png", GREY)
    monkeypatch.setattr(Image.Image, step, full)
    rejected(path, "too large", (images.read,))


def test_reading_changes_no_global_state(tmp_path):
    state = lambda: (Image.MAX_IMAGE_PIXELS, ImageFile.LOAD_TRUNCATED_IMAGES, ImageFile.MAXBLOCK, warnings.filters[:])  # noqa: E731
    before = state()
    images.read(put(tmp_path / "cat.png", CAT))
    with pytest.raises(ImageError):
        images.read(__file__)
    assert state() == before
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


def encoded(format, **options):
    file = io.BytesIO()
    Image.fromarray(CAT[:16, :24]).save(file, format, **options)
    return file.getvalue()


SMALL = {format: encoded(format) for format in ("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "JPEG2000")}
SMALL["TIFF LZW"] = encoded("TIFF", compression="tiff_lzw")
SMALL["JPEG with more"] = encoded("JPEG", exif=exif(6), icc_profile=swapped_profile(), comment=b"kerasdream\nrecipe")
DAMAGE = st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=4)  # where, and the byte put there


@pytest.mark.parametrize("kind", SMALL)
@given(damage=DAMAGE, kept=st.floats(0, 1))
@settings(max_examples=50, deadline=None)
def test_damaged_files_are_read_or_rejected(tmp_path_factory, kind, damage, kept):
    data = bytearray(SMALL[kind])
    for place, value in damage:
        data[int(place * len(data))] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(data[: max(1, int(len(data) * kept))])
    for function in (images.read, images.size, images.read_recipe):
        with contextlib.suppress(ImageError):  # and nothing else
            function(path)
