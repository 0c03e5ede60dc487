"""Pictures: every kind of file read with the right numbers or refused with one clear error; writing whole or not."""

import contextlib
import errno
import hashlib
import io
import os
import struct
import subprocess
import sys
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
import skimage.data
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms, JpegImagePlugin, PngImagePlugin

from kerasdream import images
from kerasdream.errors import ImageError, OutputError
from kerasdream.images import files

CAT = skimage.data.chelsea()[20:140, 100:271]  # (120, 171, 3) uint8, sides odd and even
PHOTOS = {"chelsea": CAT, "coffee": skimage.data.coffee()[::3, ::3], "astronaut": skimage.data.astronaut()[::4, ::4]}
GREY = CAT[..., 1]
RAMP = np.broadcast_to(np.linspace(0, 255, CAT.shape[1]).astype(np.uint8), CAT.shape[:2])  # from clear to opaque
HEIGHT, WIDTH = CAT.shape[:2]


@pytest.fixture(autouse=True)
def quiet(capfd, request):
    """No warning and no output, not even from the C libraries; but libtiff tells stderr about a broken file."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    out, err = capfd.readouterr()
    assert not out
    assert not err or "TIFF" in request.node.name


def floats(levels):
    """The contract, written out: 0..255 is -1..1."""
    return (levels.astype(np.float64) - 127.5) / 127.5


def grey3(levels):
    return np.stack([levels] * 3, axis=-1)


def off(picture, levels):
    """The largest difference from the levels 0..255, in levels."""
    assert picture.pixels.dtype == np.float32
    assert picture.pixels.shape == levels.shape
    return np.abs(picture.pixels - floats(levels)).max() * 127.5


def put(path, array, mode=None, **options):
    picture = array if isinstance(array, Image.Image) else Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def png(size, colour, *chunks, depth=8):
    """A PNG made by hand: its IHDR (colour: 0 grey, 2 RGB), then the chunks as given."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    whole = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    return files.PNG_SIGNATURE + b"".join(chunk(kind, data) for kind, data in whole)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def swapped_profile():
    """An sRGB profile with the primaries of red and blue exchanged: reading it as sRGB exchanges the channels."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table, rest = profile[:512], profile[512:]
    return table.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ") + rest


# --- reading: modes and formats -------------------------------------------------------------------------------------


@pytest.mark.parametrize("photo", PHOTOS)
@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "ppm", "webp", "jp2"])
def test_lossless_colour_is_exact(tmp_path, photo, ending):
    path = put(tmp_path / f"photo.{ending}", PHOTOS[photo], **({"lossless": True} if ending == "webp" else {}))
    picture = images.read(path)
    assert off(picture, PHOTOS[photo]) < 1e-4
    assert picture.alpha is None
    assert picture.notes == ()
    assert picture.name == f"photo.{ending}"
    assert picture.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert images.size(path) == PHOTOS[photo].shape[:2]


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_lossy_colour_is_close(tmp_path, ending):
    picture = images.read(put(tmp_path / f"photo.{ending}", CAT, quality=95))
    assert np.abs(picture.pixels - floats(CAT)).mean() * 127.5 < 3
    assert picture.pixels.min() >= -1
    assert picture.pixels.max() <= 1


def test_mpo_is_a_photo_with_a_preview_not_an_animation(tmp_path):
    path = put(tmp_path / "phone.jpg", CAT, format="MPO", save_all=True, append_images=[Image.new("RGB", (9, 9))])
    with Image.open(path) as stored:
        assert stored.format == "MPO"
        assert stored.n_frames == 2
    picture = images.read(path)
    assert picture.notes == ()
    assert picture.pixels.shape == CAT.shape


@pytest.mark.parametrize("ending", ["png", "tif", "jpg"])
def test_grey(tmp_path, ending):
    picture = images.read(put(tmp_path / f"grey.{ending}", GREY, quality=100))
    assert off(picture, grey3(GREY)) < (1e-4 if ending != "jpg" else 4)
    assert picture.alpha is None


@pytest.mark.parametrize("ending", ["png", "tif"])
def test_one_bit(tmp_path, ending):
    picture = images.read(put(tmp_path / f"bits.{ending}", GREY > 100))
    assert off(picture, grey3(np.where(GREY > 100, 255, 0))) < 1e-4


@pytest.mark.parametrize("ending", ["png", "tif", "webp"])
def test_alpha_is_kept_and_colours_below_it_too(tmp_path, ending):
    options = {"lossless": True, "exact": True} if ending == "webp" else {}
    picture = images.read(put(tmp_path / f"rgba.{ending}", np.dstack([CAT, RAMP]), **options))
    assert off(picture, CAT) < 1e-4
    assert picture.alpha.dtype == np.float32
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)


def test_grey_with_alpha(tmp_path):
    picture = images.read(put(tmp_path / "la.png", np.dstack([GREY, RAMP])))
    assert off(picture, grey3(GREY)) < 1e-4
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)


def test_an_alpha_channel_without_transparency_is_opaque(tmp_path):
    assert images.read(put(tmp_path / "full.png", CAT, "RGBA")).alpha is None


@pytest.mark.parametrize("transparency", [None, 7, bytes(range(0, 256, 2))], ids=["opaque", "one colour", "alphas"])
def test_palette(tmp_path, transparency):
    painted = Image.fromarray(CAT).quantize(128)
    path = put(tmp_path / "p.png", painted, **({} if transparency is None else {"transparency": transparency}))
    picture = images.read(path)
    index = np.asarray(painted)
    assert off(picture, np.array(painted.getpalette()).reshape(-1, 3)[index]) < 1e-4
    if transparency is None:
        assert picture.alpha is None
    else:
        opacity = np.where(np.arange(128) == 7, 0, 255) if transparency == 7 else np.arange(0, 256, 2)
        np.testing.assert_allclose(picture.alpha, opacity[index] / 255, atol=1e-6)


@pytest.mark.parametrize(("array", "colour"), [(CAT, tuple(int(v) for v in CAT[5, 5])), (GREY, int(GREY[5, 5]))])
def test_one_transparent_colour_without_a_palette(tmp_path, array, colour):
    picture = images.read(put(tmp_path / "t.png", array, transparency=colour))
    clear = (array.reshape(HEIGHT, WIDTH, -1) == colour).all(axis=-1)
    assert 0 < clear.sum() < clear.size
    np.testing.assert_array_equal(picture.alpha, np.where(clear, 0, 1))


def test_cmyk_tiff(tmp_path):
    path = put(tmp_path / "cmyk.tif", CAT, "CMYK")
    with Image.open(path) as stored:
        c, m, y, k = 255 - np.moveaxis(np.asarray(stored).astype(float), -1, 0)
    picture = images.read(path)
    assert off(picture, np.stack([c, m, y], axis=-1) * k[..., None] / 255) <= 1
    assert "CMYK without a colour profile" in picture.notes[0]


def test_adobe_inverted_cmyk_jpeg(tmp_path):
    path = put(tmp_path / "cmyk.jpg", CAT, "CMYK", quality=98)
    assert b"Adobe" in path.read_bytes()  # and then the file holds 255 - ink
    assert np.abs(images.read(path).pixels - floats(CAT)).mean() * 127.5 < 2


def test_lab_tiff(tmp_path):
    transform = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    path = put(tmp_path / "lab.tif", ImageCms.profileToProfile(Image.fromarray(CAT), *transform, outputMode="LAB"))
    assert np.abs(images.read(path).pixels - floats(CAT)).mean() * 127.5 < 2


# --- reading: more than 8 bits --------------------------------------------------------------------------------------

DEEP = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) * 3 + 17).astype(np.uint16)


@pytest.mark.parametrize("ending", ["png", "tif", "pgm"])
def test_16_bit_grey_keeps_every_level(tmp_path, ending):
    path = tmp_path / f"deep.{ending}"
    if ending == "pgm":  # Pillow writes it only from version 11 on
        path.write_bytes(b"P5 %d %d 65535\n" % (WIDTH, HEIGHT) + DEEP.astype(">u2").tobytes())
    else:
        put(path, DEEP)
    picture = images.read(path)
    np.testing.assert_allclose(picture.pixels, grey3(DEEP / 65535.0) * 2 - 1, atol=1e-6)
    assert len(np.unique(picture.pixels)) == len(np.unique(DEEP))
    assert picture.notes == ()


def test_16_bit_grey_is_shrunk_in_float(tmp_path):
    path = put(tmp_path / "deep.png", DEEP // 64 + 30000)  # a range of one thousandth: four 8-bit levels
    picture = images.read(path, max_side=57)
    assert picture.pixels.shape == (40, 57, 3) == (*images.size(path, 57), 3)
    assert len(np.unique(picture.pixels)) > 300
    assert abs(picture.pixels.mean() - ((DEEP // 64 + 30000) / 65535.0 * 2 - 1).mean()) < 1e-5


def test_shrinking_deep_grey_stays_in_range(tmp_path):
    edge = np.zeros((60, 60), np.uint16)
    edge[:, 30:] = 65535  # Lanczos overshoots here
    pixels = images.read(put(tmp_path / "edge.png", edge), max_side=25).pixels
    assert pixels.min() == -1
    assert pixels.max() == 1


def test_16_bit_colour_is_read_as_8_bits(tmp_path):
    rows = (CAT.astype(">u2") * 257).reshape(HEIGHT, -1)
    data = b"".join(b"\0" + row.tobytes() for row in rows)
    path = tmp_path / "deep.png"
    path.write_bytes(png((WIDTH, HEIGHT), 2, (b"IDAT", zlib.compress(data)), depth=16))
    assert off(images.read(path), CAT) < 1e-4


def test_a_transparent_16_bit_level_is_told(tmp_path):
    picture = images.read(put(tmp_path / "deep.png", DEEP, transparency=1000))
    assert picture.alpha is None
    assert "transparent colour was ignored" in picture.notes[0]


def test_float_tiff(tmp_path):
    values = GREY.astype(np.float32) / 300
    picture = images.read(put(tmp_path / "f.tif", values))
    np.testing.assert_allclose(picture.pixels, grey3(values) * 2 - 1, atol=1e-6)
    assert picture.notes == ()


def test_float_beyond_the_range_is_stretched_and_told(tmp_path):
    values = GREY.astype(np.float32) * 10 - 500
    picture = images.read(put(tmp_path / "f.tif", values))
    low, high = values.min(), values.max()
    np.testing.assert_allclose(picture.pixels[..., 0], (values - low) / (high - low) * 2 - 1, atol=1e-5)
    assert f"from {low:g} to {high:g}" in picture.notes[0]


def test_constant_float_beyond_the_range(tmp_path):
    assert np.isfinite(images.read(put(tmp_path / "f.tif", np.full((4, 4), 7, np.float32))).pixels).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_float_not_finite_is_refused(tmp_path, bad):
    values = np.zeros((4, 4), np.float32)
    values[1, 2] = bad
    with pytest.raises(ImageError, match=r"f\.tif: .*not finite"):
        images.read(put(tmp_path / "f.tif", values))


# --- reading: colour profiles ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_profile_is_applied(tmp_path, mode):
    array = CAT if mode == "RGB" else np.dstack([CAT, RAMP])
    picture = images.read(put(tmp_path / "icc.png", array, icc_profile=swapped_profile()))
    assert off(picture, CAT[..., ::-1]) <= 2
    assert picture.notes == ()
    if mode == "RGBA":
        np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)


def test_profile_of_a_palette_is_applied(tmp_path):
    painted = Image.fromarray(CAT).quantize(200)
    picture = images.read(put(tmp_path / "icc.png", painted, icc_profile=swapped_profile()))
    assert off(picture, np.asarray(painted.convert("RGB"))[..., ::-1]) <= 2


def test_srgb_profile_changes_nothing(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert off(images.read(put(tmp_path / "icc.png", CAT, icc_profile=profile)), CAT) < 1e-4
    assert off(images.read(put(tmp_path / "grey.png", GREY, icc_profile=profile)), grey3(GREY)) < 1e-4


def grey_profile(gamma):
    """A grey profile (ICC.1:2001-04), made by hand: a white point and a gamma."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)  # D50
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, 20, b"kTRC", 176, 16)
    head = struct.pack(">I4sI4s4s4s", 192, b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ") + bytes(12) + b"acsp"
    return head.ljust(68, b"\0") + white[8:] + bytes(48) + tags + white + curve


@pytest.mark.parametrize("bands", ["L", "LA"])
def test_grey_profile_is_applied(tmp_path, bands):
    array = GREY if bands == "L" else np.dstack([GREY, RAMP])
    picture = images.read(put(tmp_path / "mac.png", array, icc_profile=grey_profile(1.8)))
    linear = (GREY / 255.0) ** 1.8
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert picture.notes == ()
    assert off(picture, grey3(srgb * 255)) <= 2


@pytest.mark.parametrize("profile", [b"no profile at all", swapped_profile()[:300], grey_profile(1.0)])
def test_broken_or_unfit_profile_is_ignored_and_told(tmp_path, profile):
    picture = images.read(put(tmp_path / "icc.png", CAT, icc_profile=profile))
    assert off(picture, CAT) < 1e-4
    assert "profile" in picture.notes[0]
    assert "ignored" in picture.notes[0]


def test_profile_of_16_bit_grey_is_told(tmp_path):
    picture = images.read(put(tmp_path / "icc.png", DEEP, icc_profile=grey_profile(1.0)))
    assert "profile was ignored" in picture.notes[0]


# --- reading: orientation -------------------------------------------------------------------------------------------

UPRIGHT = {  # the EXIF standard's definition: where row 0 and column 0 of the stored picture belong
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("ending", ["png", "webp", "tif", "jpg"])
def test_exif_orientation(tmp_path, ending, orientation):
    options = {"webp": {"lossless": True}, "jpg": {"quality": 100, "subsampling": 0}}.get(ending, {})
    path = put(tmp_path / f"turned.{ending}", CAT, exif=exif(orientation), **options)
    picture, upright = images.read(path), UPRIGHT[orientation](CAT)
    assert off(picture, upright) < (1e-4 if ending != "jpg" else 8)
    assert images.size(path) == upright.shape[:2]
    assert images.size(path, 50) == images.read(path, 50).pixels.shape[:2]


def test_alpha_and_deep_grey_are_turned_too(tmp_path):
    picture = images.read(put(tmp_path / "turned.png", np.dstack([CAT, RAMP]), exif=exif(6)))
    np.testing.assert_allclose(picture.alpha, UPRIGHT[6](RAMP) / 255, atol=1e-6)
    picture = images.read(put(tmp_path / "deep.png", DEEP, exif=exif(6)))
    np.testing.assert_allclose(picture.pixels[..., 0], UPRIGHT[6](DEEP) / 65535.0 * 2 - 1, atol=1e-6)


def test_orientation_behind_the_pixels_of_a_png(tmp_path):
    path = put(tmp_path / "exiftool.png", CAT)
    data, block = path.read_bytes(), exif(8).tobytes().removeprefix(b"Exif\0\0")
    path.write_bytes(data[:-12] + chunk(b"eXIf", block) + data[-12:])
    assert off(images.read(path), UPRIGHT[8](CAT)) < 1e-4
    assert images.size(path) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("block", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", exif(9)])
def test_broken_exif_is_no_reason_to_refuse(tmp_path, block):
    path = put(tmp_path / "odd.jpg", CAT, exif=block)
    assert images.read(path).pixels.shape == (*images.size(path), 3) == CAT.shape


# --- reading: frames and shrinking ----------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_of_an_animation_the_first_frame_is_read(tmp_path, ending):
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if ending == "webp" else {}
    path = put(tmp_path / f"a.{ending}", frames[0], save_all=True, append_images=frames[1:], **options)
    picture = images.read(path)
    assert off(picture, np.full((10, 20, 3), [255, 0, 0])) < 1e-4
    assert picture.notes == ("animated: only the first of 3 frames is dreamed",)


def test_of_a_document_the_first_page_is_read(tmp_path):
    path = put(tmp_path / "pages.tif", CAT, save_all=True, append_images=[Image.new("RGB", (5, 5))])
    picture = images.read(path)
    assert off(picture, CAT) < 1e-4
    assert picture.notes == ("has 2 pages: only the first is dreamed",)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 50))
@settings(max_examples=60, deadline=None)
def test_shrinks_to_fit_and_never_enlarges(tmp_path_factory, height, width, max_side):
    path = put(tmp_path_factory.getbasetemp() / "fit.png", np.full((height, width, 3), 77, np.uint8))
    picture = images.read(path, max_side)
    assert max(picture.pixels.shape[:2]) == min(max_side, max(height, width))
    assert picture.pixels.shape[:2] == images.size(path, max_side)
    small, large = sorted(picture.pixels.shape[:2])
    assert abs(small - large * min(height, width) / max(height, width)) <= 0.5 or small == 1
    assert off(picture, np.full(picture.pixels.shape, 77)) < 1e-4


def test_shrinking_is_antialiased(tmp_path):
    stripes = np.zeros((120, 120, 3), np.uint8)
    stripes[:, ::2] = 255  # a point sampler would give black or white
    shrunk = images.read(put(tmp_path / "stripes.png", stripes), max_side=30).pixels[:, 2:-2]
    assert np.abs(shrunk).max() < 0.1


def test_shrinking_weighs_colours_by_alpha(tmp_path):
    array = np.zeros((40, 40, 4), np.uint8)
    array[:, :21] = [255, 0, 0, 255]
    array[:, 21:] = [0, 255, 0, 0]  # hidden green must not bleed into the red edge
    picture = images.read(put(tmp_path / "edge.png", array), max_side=20)
    edge = picture.pixels[:, 10]
    assert 0.1 < picture.alpha[0, 10] < 0.9
    assert edge[:, 0].min() > 0.95
    assert edge[:, 1].max() < -0.95


@pytest.mark.parametrize("max_side", [0, -5])
def test_impossible_max_side(tmp_path, max_side):
    path = put(tmp_path / "cat.png", CAT)
    for function in (images.read, images.size):
        with pytest.raises(ValueError, match="max_side"):
            function(path, max_side)


# --- reading: what is refused ---------------------------------------------------------------------------------------


def refused(path, match, functions=(images.read, images.size)):
    for function in functions:
        with pytest.raises(ImageError, match=match) as caught:
            function(path)
        assert str(caught.value).startswith(str(path))
        assert "\n" not in str(caught.value)


def test_missing_file_names_the_nearest(tmp_path):
    put(tmp_path / "holiday.png", CAT)
    refused(tmp_path / "holliday.png", "no such file; did you mean 'holiday.png'")
    refused(tmp_path / "nowhere" / "holiday.png", "no folder .*nowhere")
    refused(tmp_path / "holiday.png" / "x.png", "cannot be opened")


def test_folder_pipe_and_empty_file(tmp_path):
    refused(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe.png")
    refused(tmp_path / "pipe.png", "not an ordinary file")
    (tmp_path / "empty.png").touch()
    refused(tmp_path / "empty.png", "empty")


def test_impossible_names(tmp_path):
    refused(tmp_path / "nul\0.png", "cannot be opened")
    refused(tmp_path / ("x" * 300 + ".png"), "cannot be opened")


def test_unreadable_file(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    path = put(tmp_path / "cat.png", CAT)
    monkeypatch.setattr(files, "open", denied, raising=False)  # root may read what chmod forbids
    refused(path, "Permission denied")


@pytest.mark.parametrize(
    ("data", "seen"),
    [
        ("Größe: {}\n".format("é" * 300).encode(), "text starting 'Größe"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 'text starting "<svg'),
        (b"P", "text starting 'P'"),
        (b"%PDF-1.7\n", "a PDF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0", "a HEIC photo"),
        (b"\0\0\0\x18ftypisom\0\0\0\0", "a video"),
        (b"PK\x03\x04rest", "a zip archive"),
        (b"\x7fELF\x02\x01\x01\0rest", "unknown data starting 7f 45 4c 46"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "text starting '%!PS"),  # Ghostscript must not run
    ],
)
def test_no_picture_says_what_was_seen(tmp_path, data, seen):
    path = tmp_path / "cat.jpg"
    path.write_bytes(data)
    refused(path, f"is not a picture.*{seen}", (images.read, images.size, images.read_recipe))


@pytest.mark.parametrize("ending", ["png", "jpg", "tif", "webp", "gif", "bmp", "ppm", "jp2"])
@pytest.mark.parametrize("kept", [0.4, 0.9])
def test_half_a_picture_is_refused(tmp_path, ending, kept):
    path = put(tmp_path / f"cut.{ending}", CAT)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    refused(path, "broken, cut short|cut short", (images.read,))


def test_half_a_compressed_TIFF_is_refused(tmp_path):  # noqa: N802
    path = put(tmp_path / "cut.tif", CAT, compression="tiff_lzw")
    data = path.read_bytes()
    path.write_bytes(data.replace(data[2000:3000], bytes(1000)))  # its header lies behind the pixels
    refused(path, "broken", (images.read,))


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_tiff_with_too_few_strips_is_refused(tmp_path, orientation):
    path = put(tmp_path / "strips.tif", CAT, exif=exif(orientation))
    assert images.read(path).pixels.size == CAT.size
    data = bytearray(path.read_bytes())
    height = data.index(struct.pack("<H", 257), 10) + 8  # the value of the tag ImageLength
    assert data[height] == HEIGHT
    data[height] += 1
    path.write_bytes(data)
    refused(path, "strips", (images.read,))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("none.png", png((0, 0), 2, (b"IDAT", zlib.compress(b"")))),
        ("none.pgm", b"P5 0 0 255\n"),
        ("none.gif", b"GIF89a" + bytes(7) + b";"),
        ("none.bmp", b"BM" + struct.pack("<IIIIiiHHIIiiII", 54, 0, 54, 40, 0, 0, 1, 24, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_no_pixels(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    refused(tmp_path / name, "without pixels")


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("bomb.png", png((60_000, 60_000), 0, (b"IDAT", zlib.compress(bytes(60_001))))),
        ("bomb.pgm", b"P5 100000 100000 255\n" + bytes(100)),
        ("bomb.bmp", b"BM" + struct.pack("<IIIIiiHHIIiiII", 99, 0, 54, 40, 40_000, 40_000, 1, 24, 0, 0, 0, 0, 0, 0)),
    ],
)
def test_a_bomb_is_refused_by_its_header(tmp_path, name, data):
    (tmp_path / name).write_bytes(data)
    refused(tmp_path / name, "too large.*268,435,456")


def test_large_honest_pictures_are_read(tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(png((16_000, 16_000), 0))  # Pillow's own limit is 179 megapixels; it warns from 89 on
    assert images.size(path) == (16_000, 16_000)
    picture = images.read(put(path, Image.new("L", (10_000, 9_000), 77)), max_side=20)
    assert off(picture, np.full((18, 20, 3), 77)) < 1e-4


@pytest.mark.parametrize("step", ["convert", "resize"])
def test_out_of_memory_is_told(tmp_path, monkeypatch, step):
    def full(*_):
        raise MemoryError

    path = put(tmp_path / "cat.png", GREY)
    monkeypatch.setattr(Image.Image, step, full)
    refused(path, "too large", (images.read,))


def test_nothing_global_is_changed(tmp_path):
    from PIL import ImageFile

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
def test_damaged_files_are_read_or_refused(tmp_path_factory, kind, damage, kept):
    data = bytearray(SMALL[kind])
    for place, value in damage:
        data[int(place * len(data))] = value
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(data[: max(1, int(len(data) * kept))])
    for function in (images.read, images.size, images.read_recipe):
        with contextlib.suppress(ImageError):  # and nothing else
            function(path)


# --- writing --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("photo", PHOTOS)
def test_png_round_trip_is_exact(tmp_path, photo):
    images.save(tmp_path / "out.png", floats(PHOTOS[photo]), format="png")
    picture = images.read(tmp_path / "out.png")
    assert off(picture, PHOTOS[photo]) < 1e-4
    assert picture.alpha is None
    with Image.open(tmp_path / "out.png") as stored:
        assert stored.info["srgb"] == 0


def test_png_keeps_alpha(tmp_path):
    images.save(tmp_path / "out.png", floats(CAT), alpha=RAMP / 255, format="png")
    picture = images.read(tmp_path / "out.png")
    assert off(picture, CAT) < 1e-4
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)


@pytest.mark.parametrize("photo", PHOTOS)
def test_jpeg_round_trip_is_close(tmp_path, photo):
    images.save(tmp_path / "out.jpg", floats(PHOTOS[photo]), format="jpeg", quality=95)
    picture = images.read(tmp_path / "out.jpg")
    assert np.abs(picture.pixels - floats(PHOTOS[photo])).mean() * 127.5 < 3
    assert picture.notes == ()
    with Image.open(tmp_path / "out.jpg") as stored:
        assert stored.format == "JPEG"
        assert JpegImagePlugin.get_sampling(stored) == 0
        assert stored.getexif().get_ifd(0x8769)[0xA001] == 1  # sRGB


def test_jpeg_lies_over_white(tmp_path):
    alpha = np.zeros((32, 32), np.float32)
    alpha[:, 8:] = 0.5
    alpha[:, 16:] = 1
    images.save(tmp_path / "out.jpg", np.full((32, 32, 3), -1.0), alpha=alpha, format="jpeg")
    row = images.read(tmp_path / "out.jpg").pixels[16, :, 0]
    np.testing.assert_allclose(row[[4, 12, 24]], [1, 0, -1], atol=0.03)


def test_jpeg_quality_counts(tmp_path):
    for quality in (40, 98):
        images.save(tmp_path / f"{quality}.jpg", floats(CAT), format="jpeg", quality=quality)
    assert (tmp_path / "40.jpg").stat().st_size * 2 < (tmp_path / "98.jpg").stat().st_size


@pytest.mark.parametrize("quality", [92, 100])
def test_jpeg_of_pure_noise(tmp_path, quality):
    noise = np.random.default_rng(0).choice([-1.0, 1.0], (512, 512, 3))  # Pillow's optimize=True fails on this
    images.save(tmp_path / "noise.jpg", noise, format="jpeg", quality=quality, recipe="r" * 200_000)
    assert images.size(tmp_path / "noise.jpg") == (512, 512)


@pytest.mark.parametrize("format", ["png", "jpeg"])
def test_the_same_picture_gives_the_same_bytes(tmp_path, format):
    for name in "ab":
        images.save(tmp_path / name, floats(CAT), format=format, recipe="seed: 0")
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_out_of_range_is_clipped(tmp_path):
    images.save(tmp_path / "out.png", floats(CAT) * 1000, format="png")
    assert off(images.read(tmp_path / "out.png"), np.where(CAT > 127, 255, 0)) < 1e-4


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        ({"pixels": np.zeros((4, 4))}, "shape"),
        ({"pixels": np.zeros((4, 4, 4))}, "shape"),
        ({"pixels": np.zeros((0, 4, 3))}, "shape"),
        ({"pixels": np.full((4, 4, 3), np.nan)}, "not a number"),
        ({"alpha": np.zeros((4, 5))}, "alpha"),
        ({"format": "gif"}, "format"),
    ],
)
def test_wrong_arguments(tmp_path, wrong, match):
    with pytest.raises(ValueError, match=match):
        images.save(tmp_path / "out.png", **{"pixels": np.zeros((4, 4, 3)), "format": "png", **wrong})
    assert os.listdir(tmp_path) == []


def test_too_large_for_a_jpeg(tmp_path):
    with pytest.raises(OutputError, match=r"out\.jpg.*65,500"):
        images.save(tmp_path / "out.jpg", np.zeros((1, 65_501, 3)), format="jpeg")
    images.save(tmp_path / "out.jpg", np.zeros((1, 65_500, 3)), format="jpeg")
    assert images.size(tmp_path / "out.jpg") == (1, 65_500)


def fail(error):
    def function(*_, **__):
        raise error

    return function


@pytest.mark.parametrize("step", ["fsync", "replace"])
@pytest.mark.parametrize("old", [None, b"the old picture"])
@pytest.mark.parametrize(
    ("error", "seen"),
    [(OSError(errno.ENOSPC, "No space left on device"), OutputError), (KeyboardInterrupt(), KeyboardInterrupt)],
)
def test_a_failed_write_leaves_what_was_there(tmp_path, monkeypatch, step, old, error, seen):
    path = tmp_path / "out.png"
    if old:
        path.write_bytes(old)
    monkeypatch.setattr(os, step, fail(error))
    with pytest.raises(seen, match="out.png: .*No space left" if seen is OutputError else None):
        images.save(path, floats(CAT), format="png")
    assert os.listdir(tmp_path) == (["out.png"] if old else [])
    assert not old or path.read_bytes() == old


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    for place, match in [
        (tmp_path / "nowhere" / "out.png", "no folder .*nowhere"),
        (tmp_path / "file" / "out.png", "Not a directory"),
        (tmp_path, "not an ordinary file"),
        (tmp_path / "pipe", "not an ordinary file"),
        (tmp_path / ("x" * 300), "cannot be written"),
    ]:
        with pytest.raises(OutputError, match=match) as caught:
            images.save(place, floats(CAT), format="png")
        assert str(caught.value).startswith(str(place))
    assert sorted(os.listdir(tmp_path)) == ["file", "pipe"]


def test_a_link_is_followed_and_the_umask_kept(tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    old = os.umask(0o027)
    try:
        images.save(tmp_path / "link.png", floats(CAT), format="png")
    finally:
        os.umask(old)
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").stat().st_mode & 0o777 == 0o640
    assert images.size(tmp_path / "real.png") == CAT.shape[:2]


# --- the recipe -----------------------------------------------------------------------------------------------------

TINY = np.zeros((2, 3, 3), np.float32)
both = pytest.mark.parametrize("format", ["png", "jpeg"])


@both
@given(recipe=st.text())
@settings(max_examples=50, deadline=None)
def test_recipe_round_trip(tmp_path_factory, format, recipe):
    path = tmp_path_factory.getbasetemp() / "recipe"
    images.save(path, TINY, format=format, recipe=recipe)
    assert images.read_recipe(path) == (recipe or None)


@both
@pytest.mark.parametrize("count", [65_521, 65_522, 65_523, 200_000, 2_000_000])
def test_long_recipes(tmp_path, format, count):
    recipe = ("kerasdream\nGrün 夢\n" * count).encode()[:count].decode(errors="ignore")
    assert len(recipe.encode()) > count - 4
    images.save(tmp_path / "p", TINY, format=format, recipe=recipe)
    assert images.read_recipe(tmp_path / "p") == recipe
    with Image.open(tmp_path / "p") as stored:  # and it is still a picture to everyone
        stored.load()
    assert images.read(tmp_path / "p").pixels.shape == TINY.shape


@both
def test_a_recipe_too_long_is_refused(tmp_path, format):
    with pytest.raises(OutputError, match="p: the recipe"):
        images.save(tmp_path / "p", TINY, format=format, recipe="r" * (images.MAX_RECIPE_BYTES + 1))
    assert os.listdir(tmp_path) == []
    images.save(tmp_path / "p", TINY, format=format, recipe="r" * images.MAX_RECIPE_BYTES)
    assert len(images.read_recipe(tmp_path / "p")) == images.MAX_RECIPE_BYTES


def test_pictures_without_a_recipe(tmp_path):
    note = PngImagePlugin.PngInfo()
    note.add_text("kerasdreamer", "no recipe")
    note.add_itxt("Title", "kerasdream")
    for name, options in {
        "a.png": {"pnginfo": note},
        "b.jpg": {"comment": b"kerasdream is nice"},
        "c.jpg": {"progressive": True},
        "d.tif": {},
        "e.gif": {},
        "f.webp": {},
    }.items():
        assert images.read_recipe(put(tmp_path / name, CAT, **options)) is None


def test_a_recipe_compressed_by_another_tool(tmp_path):
    note = PngImagePlugin.PngInfo()
    note.add_itxt("kerasdream", "Grün 夢", lang="de", tkey="Rezept", zip=True)
    assert images.read_recipe(put(tmp_path / "zip.png", CAT, pnginfo=note)) == "Grün 夢"


def test_a_recipe_behind_the_pixels(tmp_path):
    note = PngImagePlugin.PngInfo()
    note.add(b"iTXt", b"kerasdream\0\0\0\0\0later", after_idat=True)
    assert images.read_recipe(put(tmp_path / "late.png", CAT, pnginfo=note)) == "later"


SHORT_LIMIT = 2**20
HOSTILE = {
    "unpacks to too much": png((1, 1), 0, (b"iTXt", b"kerasdream\0\1\0\0\0" + zlib.compress(bytes(2**27)))),
    "not zlib": png((1, 1), 0, (b"iTXt", b"kerasdream\0\1\0\0\0nonsense")),
    "not utf-8": png((1, 1), 0, (b"iTXt", b"kerasdream\0\0\0\0\0\xff\xfe")),
    "no fields": png((1, 1), 0, (b"iTXt", b"kerasdream\0")),
    "too long": png((1, 1), 0, (b"iTXt", b"kerasdream\0\0\0\0\0" + b"r" * (SHORT_LIMIT + 2048))),
    "wrong checksum": png((1, 1), 0, (b"iTXt", b"kerasdream\0\0\0\0\0text")).replace(b"text", b"test"),
    "a chunk of 2 GB": png((1, 1), 0)[:-12] + struct.pack(">I", 2**31 - 1) + b"iTXtkerasdream\0\0\0\0\0text",
    "no end": png((1, 1), 0)[:-12],
    "jpeg, too long": b"\xff\xd8" + (b"\xff\xfe\xff\xffkerasdream\n" + b"r" * 65_522) * 120 + b"\xff\xd9\0\0",
    "jpeg, not utf-8": b"\xff\xd8\xff\xfe\0\x0fkerasdream\n\xff\xfe\xff\xd9\0\0",
    "jpeg, no segments": b"\xff\xd8\xff\xe0\0\x10JFIFnonsense",
    "jpeg, cut short": b"\xff\xd8\xff\xe0\0\x04ab\xff",
}


def refused_cheaply(path, match, monkeypatch):
    monkeypatch.setattr(images.recipe, "MAX_RECIPE_BYTES", SHORT_LIMIT)
    tracemalloc.start()
    try:
        refused(path, match, (images.read_recipe,))
        assert tracemalloc.get_traced_memory()[1] < 5 * SHORT_LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_recipes(tmp_path, monkeypatch, kind):
    (tmp_path / "hostile").write_bytes(HOSTILE[kind])
    refused_cheaply(tmp_path / "hostile", "recipe in it is broken|cut short", monkeypatch)


def test_a_comment_of_impossible_length_reads_nothing(tmp_path, monkeypatch):
    (tmp_path / "p.jpg").write_bytes(b"\xff\xd8\xff\xfe\0\0kerasdream\n")
    os.truncate(tmp_path / "p.jpg", 2**28)
    refused_cheaply(tmp_path / "p.jpg", "cut short or broken", monkeypatch)


@pytest.mark.parametrize("data", [files.PNG_SIGNATURE + bytes(12) * 50, b"\xff\xd8\xff" + b"\xff" * 500])
def test_a_walk_ends(tmp_path, monkeypatch, data):
    monkeypatch.setattr(files, "MAX_PARTS", 20)
    (tmp_path / "p").write_bytes(data)
    refused(tmp_path / "p", "over 20", (images.read_recipe,))


def test_no_file_no_recipe(tmp_path):
    refused(tmp_path / "none.png", "no such file", (images.read_recipe,))


# --- arrays ---------------------------------------------------------------------------------------------------------


def bicubic(length, new):
    """The (new, length) matrix of an antialiased Catmull-Rom filter (a = -1/2), in float64."""
    scale = length / new
    stretch = max(scale, 1)
    x = np.abs((np.arange(length) + 0.5 - (np.arange(new)[:, None] + 0.5) * scale) / stretch)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0))
    return weights / weights.sum(axis=1, keepdims=True)


@given(st.tuples(*[st.integers(1, 60)] * 4), st.sampled_from([(), (1,), (3,)]))
@settings(max_examples=80, deadline=None)
def test_resize_is_bicubic(sides, channels):
    height, width, new_height, new_width = sides
    array = np.random.default_rng(sum(sides)).normal(size=(height, width, *channels))
    expected = np.einsum("ih,jw,hw...->ij...", bicubic(height, new_height), bicubic(width, new_width), array)
    resized = images.resize(array, (new_height, new_width))
    assert resized.dtype == np.float32
    assert resized.shape == (new_height, new_width, *channels)
    np.testing.assert_allclose(resized, expected, atol=2e-5)


def test_resize_keeps_constants_the_mean_and_smooth_pictures():
    smooth = np.sin(np.linspace(0, 6, 90))[:, None] * np.cos(np.linspace(0, 5, 120))
    np.testing.assert_allclose(images.resize(np.full((40, 30, 3), 0.3), (17, 61)), 0.3, atol=1e-6)
    assert abs(images.resize(floats(CAT), (40, 57)).mean() - floats(CAT).mean()) < 2e-3
    up = images.resize(smooth, (261, 348))
    np.testing.assert_allclose(images.resize(up, (90, 120)), smooth, atol=5e-3)


def test_resize_to_the_same_shape_copies():
    array = np.random.default_rng(0).normal(size=(5, 6, 3)).astype(np.float32) * 1e6
    resized = images.resize(array, (5, 6))
    np.testing.assert_array_equal(resized, array)
    assert not np.shares_memory(resized, array)


def test_resize_does_not_clip():
    edge = np.zeros((8, 8), np.float32)
    edge[:, 4:] = 100
    resized = images.resize(edge, (8, 32))
    assert resized.max() > 101
    assert resized.min() < -1


@pytest.mark.parametrize(
    ("array", "shape"),
    [(np.zeros(5), (5, 5)), (np.zeros((1, 5, 5, 3)), (4, 4)), (np.eye(5), (0, 4)), (np.eye(5), (4, -1))],
)
def test_resize_refuses(array, shape):
    with pytest.raises(ValueError, match="resize takes"):
        images.resize(array, shape)


@given(st.lists(st.integers(0, 255), min_size=1))
def test_to_uint8_round_trip(levels):
    array = np.array(levels, np.uint8)
    np.testing.assert_array_equal(images.to_uint8(floats(array)), array)
    np.testing.assert_array_equal(images.to_uint8(floats(array).astype(np.float32)), array)


@given(st.floats(width=32, allow_nan=False))
def test_to_uint8_takes_the_nearest_level(value):
    level = images.to_uint8(np.array([value]))[0]
    distance = np.abs(floats(np.arange(256)) - value)
    assert level.dtype == np.uint8
    assert distance[level] <= distance.min() + 1e-6


def test_to_uint8_has_no_level_for_nan():
    with pytest.raises(ValueError, match="not a number"):
        images.to_uint8(np.array([0, np.nan]))


def test_importing_costs_nothing():
    code = "import sys, kerasdream.images; sys.exit(str({'numpy', 'PIL', 'tensorflow', 'keras'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stderr.strip() == "set()"
