"""Reading pictures with more than 8 bits per channel, or with a colour profile."""

import sys
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from kerasdream import images
from kerasdream.errors import ImageError
from tests.images.pictures import (
    CAT,
    DEEP,
    GREY,
    HEIGHT,
    RAMP,
    WIDTH,
    grey3,
    grey_profile,
    off,
    png,
    put,
    swapped_profile,
)


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


def test_ignored_transparent_16_bit_level_is_noted(tmp_path):
    picture = images.read(put(tmp_path / "deep.png", DEEP, transparency=1000))
    assert picture.alpha is None
    assert "transparent colour was ignored" in picture.notes[0]


def test_grey_of_signed_16_bits_is_white_at_its_own_largest_value(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    grey = CAT[..., 1].astype(np.uint16) * 128  # to 32,640 of 32,767
    tifffile.imwrite(tmp_path / "signed.tif", grey.astype(np.int16))
    np.testing.assert_allclose(images.read(tmp_path / "signed.tif").pixels[..., 0], grey / 16383.5 - 1, atol=1e-4)


def test_float_tiff(tmp_path):
    values = GREY.astype(np.float32) / 300
    picture = images.read(put(tmp_path / "f.tif", values))
    np.testing.assert_allclose(picture.pixels, grey3(values) * 2 - 1, atol=1e-6)
    assert picture.notes == ()


def test_float_out_of_range_is_rescaled_and_noted(tmp_path):
    values = GREY.astype(np.float32) * 10 - 500
    picture = images.read(put(tmp_path / "f.tif", values))
    low, high = values.min(), values.max()
    np.testing.assert_allclose(picture.pixels[..., 0], (values - low) / (high - low) * 2 - 1, atol=1e-5)
    assert f"from {low:g} to {high:g}" in picture.notes[0]


def test_constant_float_out_of_range(tmp_path):
    assert np.isfinite(images.read(put(tmp_path / "f.tif", np.full((4, 4), 7, np.float32))).pixels).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_float_that_is_not_finite_is_rejected(tmp_path, bad):
    values = np.zeros((4, 4), np.float32)
    values[1, 2] = bad
    with pytest.raises(ImageError, match=r"f\.tif: .*not finite"):
        images.read(put(tmp_path / "f.tif", values))


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


@pytest.mark.parametrize("bands", ["L", "LA"])
def test_grey_profile_is_applied(tmp_path, bands):
    array = GREY if bands == "L" else np.dstack([GREY, RAMP])
    picture = images.read(put(tmp_path / "mac.png", array, icc_profile=grey_profile(1.8)))
    linear = (GREY / 255.0) ** 1.8
    srgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
    assert picture.notes == ()
    assert off(picture, grey3(srgb * 255)) <= 2


@pytest.mark.parametrize("profile", [b"no profile at all", swapped_profile()[:300], grey_profile(1.0)])
def test_unusable_profile_is_ignored_and_noted(tmp_path, profile):
    picture = images.read(put(tmp_path / "icc.png", CAT, icc_profile=profile))
    assert off(picture, CAT) < 1e-4
    assert "profile" in picture.notes[0]
    assert "ignored" in picture.notes[0]


def test_ignored_profile_of_16_bit_grey_is_noted(tmp_path):
    picture = images.read(put(tmp_path / "icc.png", DEEP, icc_profile=grey_profile(1.0)))
    assert "profile was ignored" in picture.notes[0]


def deep_tiff(path, array, **options):
    tifffile = pytest.importorskip("tifffile")
    tifffile.imwrite(path, array, photometric="rgb", **options)
    return path


def test_float_colour_tiff(tmp_path):
    values = CAT.astype(np.float32) / 255
    path = deep_tiff(tmp_path / "f.tif", values, compression="zlib")
    assert off(images.read(path), CAT) < 1e-4
    assert images.read(path).notes == ()
    small = images.read(path, max_side=57)
    assert small.pixels.shape == (40, 57, 3) == (*images.size(path, 57), 3)
    assert np.abs(small.pixels - images.read(put(tmp_path / "8.png", CAT), 57).pixels).max() < 2 / 127.5


def test_float_colour_out_of_range_is_clipped_or_refused(tmp_path):
    values = CAT.astype(np.float32) / 255
    picture = images.read(deep_tiff(tmp_path / "f.tif", values * 1.25))
    assert off(picture, (CAT * 1.25).clip(0, 255)) < 1e-4
    share = (values * 1.25 > 1).mean()
    assert picture.notes == (
        f"its values range from 0 to {1.25 * values.max():g}; {share:.1%} were clipped to 0 (black) or 1 (white)",
    )
    path = deep_tiff(tmp_path / "levels.tif", CAT.astype(np.float32))
    with pytest.raises(ImageError, match=r"is a floating-point TIFF .* values from 0 to 231; expected 0 \(black\)"):
        images.read(path)


def test_deep_colour_tiffs_are_scaled_by_their_type_and_turned_upright(tmp_path):
    deep, planes = CAT.astype(np.uint32) * 0x1010101, (CAT.astype(np.uint16) * 257).transpose(2, 0, 1)
    assert off(images.read(deep_tiff(tmp_path / "deep.tif", deep)), CAT) < 1e-3
    assert off(images.read(deep_tiff(tmp_path / "planes.tif", planes, planarconfig="separate")), CAT) < 1e-3
    assert off(images.read(deep_tiff(tmp_path / "16.tif", CAT.astype(np.uint16) * 257)), CAT) < 1e-3
    options = {"extratags": [(274, "H", 1, 6, True)], "resolution": (100, 100), "resolutionunit": "CENTIMETER"}
    turned = deep_tiff(tmp_path / "turned.tif", np.rot90(deep), **options)
    assert images.read(turned).dpi == pytest.approx((254, 254))
    assert off(images.read(turned), CAT) < 1e-3
    assert images.size(turned) == CAT.shape[:2]


def test_float_colour_tiff_without_its_package_is_named_for_what_it_is(tmp_path, monkeypatch):
    path = deep_tiff(tmp_path / "f.tif", CAT.astype(np.float32) / 255)
    monkeypatch.setitem(sys.modules, "tifffile", None)
    with pytest.raises(ImageError, match=r'is a floating-point TIFF of 32 bits a channel, .*"kerasdream\[tiff\]"'):
        images.read(path)
    assert images.size(path) == CAT.shape[:2]


def test_heic(tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif")
    pillow_heif.from_pillow(Image.fromarray(CAT)).save(tmp_path / "cat.heic", quality=95)
    picture = images.read(tmp_path / "cat.heic")
    assert np.abs(picture.pixels - (CAT / 127.5 - 1)).mean() < 0.03
    assert images.size(tmp_path / "cat.heic", 57) == (40, 57)
