"""Writing pictures: the right values, the same bytes, and atomically."""

import errno
import os

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from kerasdream import images
from kerasdream.errors import OutputError
from tests.images.pictures import CAT, RAMP, floats, off


def test_png_round_trip_is_exact(tmp_path):
    images.save(tmp_path / "out.png", floats(CAT), format="png")
    picture = images.read(tmp_path / "out.png")
    assert off(picture, CAT) < 1e-4
    assert picture.alpha is None
    with Image.open(tmp_path / "out.png") as stored:
        assert stored.info["srgb"] == 0


def test_png_keeps_alpha(tmp_path):
    images.save(tmp_path / "out.png", floats(CAT), alpha=RAMP / 255, format="png")
    picture = images.read(tmp_path / "out.png")
    assert off(picture, CAT) < 1e-4
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)


def test_jpeg_round_trip_is_close(tmp_path):
    images.save(tmp_path / "out.jpg", floats(CAT), format="jpeg", quality=95)
    picture = images.read(tmp_path / "out.jpg")
    assert np.abs(picture.pixels - floats(CAT)).mean() * 127.5 < 3
    assert picture.notes == ()
    with Image.open(tmp_path / "out.jpg") as stored:
        assert stored.format == "JPEG"
        assert JpegImagePlugin.get_sampling(stored) == 0
        assert stored.getexif().get_ifd(0x8769)[0xA001] == 1  # sRGB


def test_jpeg_is_composited_over_white(tmp_path):
    alpha = np.zeros((32, 32), np.float32)
    alpha[:, 8:] = 0.5
    alpha[:, 16:] = 1
    images.save(tmp_path / "out.jpg", np.full((32, 32, 3), -1.0), alpha=alpha, format="jpeg")
    row = images.read(tmp_path / "out.jpg").pixels[16, :, 0]
    np.testing.assert_allclose(row[[4, 12, 24]], [1, 0, -1], atol=0.03)


def test_jpeg_quality_sets_the_size(tmp_path):
    for quality in (40, 98):
        images.save(tmp_path / f"{quality}.jpg", floats(CAT), format="jpeg", quality=quality)
    assert (tmp_path / "40.jpg").stat().st_size * 2 < (tmp_path / "98.jpg").stat().st_size


@pytest.mark.parametrize("quality", [92, 100])
def test_jpeg_of_pure_noise(tmp_path, quality):
    noise = np.random.default_rng(0).choice([-1.0, 1.0], (512, 512, 3))  # Pillow's optimize=True fails on this
    images.save(tmp_path / "noise.jpg", noise, format="jpeg", quality=quality, recipe="r" * 200_000)
    assert images.size(tmp_path / "noise.jpg") == (512, 512)


def test_tiff_and_webp_keep_colours_and_alpha(tmp_path):
    images.save(tmp_path / "cat.tif", floats(CAT), alpha=RAMP / 255, format="tiff", recipe="seed: 0")
    picture = images.read(tmp_path / "cat.tif")
    assert off(picture, CAT) < 1e-4
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)
    images.save(tmp_path / "cat.webp", floats(CAT), alpha=RAMP / 255, format="webp", recipe="seed: 0")
    picture = images.read(tmp_path / "cat.webp")
    assert np.abs(picture.pixels - floats(CAT))[:, 40:].mean() * 127.5 < 3  # what is clear has no colour
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)


def test_suffix_chooses_the_format():
    names = ("a.png", "a.JPG", "a.jpeg", "a.webp", "a.tif", "a.TIFF")
    assert [images.format_of(name) for name in names] == ["png", "jpeg", "jpeg", "webp", "tiff", "tiff"]
    for name in ("a.gif", "a", "png"):
        with pytest.raises(OutputError, match=rf"{name}: expected a name that ends in \.png, \.jpg"):
            images.format_of(name)


@pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff"])
def test_same_picture_gives_same_bytes(tmp_path, format):
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
def test_failed_write_keeps_the_existing_file(tmp_path, monkeypatch, step, old, error, seen):
    path = tmp_path / "out.png"
    if old:
        path.write_bytes(old)
    monkeypatch.setattr(os, step, fail(error))
    with pytest.raises(seen, match="out.png: .*No space left" if seen is OutputError else None):
        images.save(path, floats(CAT), format="png")
    assert os.listdir(tmp_path) == (["out.png"] if old else [])
    assert not old or path.read_bytes() == old


def test_unwritable_places_are_rejected(tmp_path):
    (tmp_path / "file").write_bytes(b"x")
    os.mkfifo(tmp_path / "pipe")
    for place, match in [
        (tmp_path / "nowhere" / "out.png", "no .*folder .*nowhere"),
        (tmp_path / "file" / "out.png", "Not a directory"),
        (tmp_path, "not a regular file"),
        (tmp_path / "pipe", "not a regular file"),
        (tmp_path / ("x" * 300), "cannot be written"),
    ]:
        with pytest.raises(OutputError, match=match) as caught:
            images.save(place, floats(CAT), format="png")
        assert str(caught.value).startswith(str(place))
    assert sorted(os.listdir(tmp_path)) == ["file", "pipe"]


def test_link_is_followed_and_umask_respected(tmp_path):
    (tmp_path / "link.png").symlink_to(tmp_path / "real.png")
    old = os.umask(0o027)
    try:
        images.save(tmp_path / "link.png", floats(CAT), format="png")
    finally:
        os.umask(old)
    assert (tmp_path / "link.png").is_symlink()
    assert (tmp_path / "real.png").stat().st_mode & 0o777 == 0o640
    assert images.size(tmp_path / "real.png") == CAT.shape[:2]
