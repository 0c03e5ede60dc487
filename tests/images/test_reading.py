"""Reading pictures: formats, modes, orientation, frames, shrinking."""

import hashlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from kerasdream import images
from tests.images.pictures import CAT, DEEP, GREY, HEIGHT, RAMP, UPRIGHT, WIDTH, chunk, exif, floats, grey3, off, put


@pytest.mark.parametrize("ending", ["png", "bmp", "tif", "ppm", "webp", "jp2"])
def test_lossless_colour_is_exact(tmp_path, ending):
    path = put(tmp_path / f"photo.{ending}", CAT, **({"lossless": True} if ending == "webp" else {}))
    picture = images.read(path)
    assert off(picture, CAT) < 1e-4
    assert picture.alpha is None
    assert picture.notes == ()
    assert picture.name == f"photo.{ending}"
    assert picture.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert images.size(path) == CAT.shape[:2]


@pytest.mark.parametrize("ending", ["jpg", "webp"])
def test_lossy_colour_is_close(tmp_path, ending):
    picture = images.read(put(tmp_path / f"photo.{ending}", CAT, quality=95))
    assert np.abs(picture.pixels - floats(CAT)).mean() * 127.5 < 3
    assert picture.pixels.min() >= -1
    assert picture.pixels.max() <= 1


def test_mpo_is_not_an_animation(tmp_path):
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
def test_alpha_and_hidden_colours_are_kept(tmp_path, ending):
    options = {"lossless": True, "exact": True} if ending == "webp" else {}
    picture = images.read(put(tmp_path / f"rgba.{ending}", np.dstack([CAT, RAMP]), **options))
    assert off(picture, CAT) < 1e-4
    assert picture.alpha.dtype == np.float32
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)


def test_grey_with_alpha(tmp_path):
    picture = images.read(put(tmp_path / "la.png", np.dstack([GREY, RAMP])))
    assert off(picture, grey3(GREY)) < 1e-4
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)


def test_opaque_alpha_channel_is_dropped(tmp_path):
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
def test_transparent_colour_without_palette(tmp_path, array, colour):
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


def test_inverted_adobe_cmyk_jpeg(tmp_path):
    path = put(tmp_path / "cmyk.jpg", CAT, "CMYK", quality=98)
    assert b"Adobe" in path.read_bytes()  # and then the file holds 255 - ink
    assert np.abs(images.read(path).pixels - floats(CAT)).mean() * 127.5 < 2


def test_lab_tiff(tmp_path):
    transform = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    path = put(tmp_path / "lab.tif", ImageCms.profileToProfile(Image.fromarray(CAT), *transform, outputMode="LAB"))
    assert np.abs(images.read(path).pixels - floats(CAT)).mean() * 127.5 < 2


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("ending", ["png", "webp", "tif", "jpg"])
def test_exif_orientation(tmp_path, ending, orientation):
    options = {"webp": {"lossless": True}, "jpg": {"quality": 100, "subsampling": 0}}.get(ending, {})
    path = put(tmp_path / f"turned.{ending}", CAT, exif=exif(orientation), **options)
    picture, upright = images.read(path), UPRIGHT[orientation](CAT)
    assert off(picture, upright) < (1e-4 if ending != "jpg" else 8)
    assert images.size(path) == upright.shape[:2]
    assert images.size(path, 50) == images.read(path, 50).pixels.shape[:2]


def test_exif_orientation_of_alpha_and_deep_grey(tmp_path):
    picture = images.read(put(tmp_path / "turned.png", np.dstack([CAT, RAMP]), exif=exif(6)))
    np.testing.assert_allclose(picture.alpha, UPRIGHT[6](RAMP) / 255, atol=1e-6)
    picture = images.read(put(tmp_path / "deep.png", DEEP, exif=exif(6)))
    np.testing.assert_allclose(picture.pixels[..., 0], UPRIGHT[6](DEEP) / 65535.0 * 2 - 1, atol=1e-6)


def test_exif_orientation_after_the_pixels_of_a_png(tmp_path):
    path = put(tmp_path / "exiftool.png", CAT)
    data, block = path.read_bytes(), exif(8).tobytes().removeprefix(b"Exif\0\0")
    path.write_bytes(data[:-12] + chunk(b"eXIf", block) + data[-12:])
    assert off(images.read(path), UPRIGHT[8](CAT)) < 1e-4
    assert images.size(path) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("block", [b"Exif\0\0nonsense", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff", exif(9)])
def test_corrupt_exif_is_ignored(tmp_path, block):
    path = put(tmp_path / "odd.jpg", CAT, exif=block)
    assert images.read(path).pixels.shape == (*images.size(path), 3) == CAT.shape


@pytest.mark.parametrize("ending", ["gif", "webp", "png"])
def test_first_frame_of_an_animation_is_read(tmp_path, ending):
    frames = [Image.new("RGB", (20, 10), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if ending == "webp" else {}
    path = put(tmp_path / f"a.{ending}", frames[0], save_all=True, append_images=frames[1:], **options)
    picture = images.read(path)
    assert off(picture, np.full((10, 20, 3), [255, 0, 0])) < 1e-4
    assert picture.notes == ("animated: only the first of 3 frames is used",)


def test_first_page_of_a_document_is_read(tmp_path):
    path = put(tmp_path / "pages.tif", CAT, save_all=True, append_images=[Image.new("RGB", (5, 5))])
    picture = images.read(path)
    assert off(picture, CAT) < 1e-4
    assert picture.notes == ("has 2 pages: only the first is used",)


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


def test_shrinking_weights_colours_by_alpha(tmp_path):
    array = np.zeros((40, 40, 4), np.uint8)
    array[:, :21] = [255, 0, 0, 255]
    array[:, 21:] = [0, 255, 0, 0]  # hidden green must not bleed into the red edge
    picture = images.read(put(tmp_path / "edge.png", array), max_side=20)
    edge = picture.pixels[:, 10]
    assert 0.1 < picture.alpha[0, 10] < 0.9
    assert edge[:, 0].min() > 0.95
    assert edge[:, 1].max() < -0.95


@pytest.mark.parametrize("max_side", [0, -5])
def test_invalid_max_side(tmp_path, max_side):
    path = put(tmp_path / "cat.png", CAT)
    for function in (images.read, images.size):
        with pytest.raises(ValueError, match="max_side"):
            function(path, max_side)
