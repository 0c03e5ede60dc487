"""What a caller in Python gives as a picture."""

import numpy as np
import pytest
from PIL import Image

from kerasdream.errors import ImageError
from kerasdream.images.given import as_picture
from tests.images.pictures import CAT, DEEP, RAMP, exif, floats, grey3, put


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 5)), r"\(4, 5\) is not a picture; expected \(height, width, 3\): np\.stack"),
        (np.zeros((1, 4, 5, 3)), r"\(1, 4, 5, 3\) is not a picture; .*: one picture at a time"),
        (np.zeros((4, 5, 4), "uint8"), r"expected \(height, width, 3\): PIL\.Image\.fromarray"),
        (np.full((4, 4, 3), 2.0), r"float64 array has values from 2 to 2; pass value_range=\(black, white\)"),
        (np.full((4, 4, 3), 200), "this int64 array has values from 200 to 200; pass value_range"),
        (np.full((4, 4, 3), np.nan), "expected uint8, or finite floats"),
    ],
)
def test_arrays_that_are_not_pictures_are_errors(array, words):
    with pytest.raises(ImageError, match=words):
        as_picture(array)


def test_pictures_may_be_arrays_images_or_paths(tmp_path):
    put(tmp_path / "cat.png", CAT)
    for form in (CAT, Image.fromarray(CAT), tmp_path / "cat.png", str(tmp_path / "cat.png"), floats(CAT)):
        np.testing.assert_allclose(as_picture(form).pixels, floats(CAT), atol=1e-6)


def test_range_of_floats_without_negative_values_must_be_given():
    unit = CAT / 255
    for ambiguous in (unit, unit.astype("float32"), np.zeros((4, 4, 3)), unit * 0.5 + 0.5):
        with pytest.raises(ImageError, match=r"is black 0 or -1\? Pass value_range=\(0, 1\), or value_range=\(-1, 1\)"):
            as_picture(ambiguous)
    np.testing.assert_allclose(as_picture(unit, value_range=(0, 1)).pixels, floats(CAT), atol=1e-6)
    np.testing.assert_allclose(as_picture(unit, value_range=(-1, 1)).pixels, unit, atol=1e-6)


def test_other_ranges_may_be_given():
    for array, value_range in [(CAT.astype("float32"), (0, 255)), (CAT.astype("uint16") * 257, (0, 65535))]:
        np.testing.assert_allclose(as_picture(array, value_range=value_range).pixels, floats(CAT), atol=1e-6)
    with pytest.raises(ImageError, match=r"this uint8 array has values from .* to 231, outside value_range=\(0, 1\)"):
        as_picture(CAT, value_range=(0, 1))
    for wrong in (5, (1, 0), (0, 1, 2), ("a", "b"), (0, float("nan"))):
        with pytest.raises(TypeError, match="expected two ascending numbers"):
            as_picture(CAT, value_range=wrong)
    with pytest.raises(ImageError, match="value_range is for arrays"):
        as_picture(Image.fromarray(CAT), value_range=(0, 1))


def test_rounding_beyond_the_range_is_clipped():
    array = floats(CAT).astype("float32")
    array[0, 0] = -1.000001
    assert as_picture(array).pixels.min() == -1


def test_large_pictures_are_shrunk():
    for form in (CAT, Image.fromarray(CAT), floats(CAT)):
        assert as_picture(form, 57).stored.shape == (40, 57, 3)
        assert as_picture(form).stored.shape == CAT.shape
    with pytest.raises(TypeError, match="max_side='big': expected a whole number"):
        as_picture(CAT, "big")


def test_pillow_images_are_read_as_files_are(tmp_path):
    picture = as_picture(Image.fromarray(np.dstack([CAT, RAMP])))
    np.testing.assert_allclose(picture.alpha, RAMP / 255, atol=1e-6)
    np.testing.assert_allclose(as_picture(Image.fromarray(DEEP)).pixels, grey3(DEEP / 65535) * 2 - 1, atol=1e-6)
    for ending in ("png", "tif"):
        path = put(tmp_path / f"turned.{ending}", np.ascontiguousarray(np.rot90(CAT)), exif=exif(6))
        with Image.open(path) as turned:
            np.testing.assert_allclose(as_picture(turned).pixels, floats(CAT), atol=1e-6)
    broken = put(tmp_path / "cut.png", CAT)
    broken.write_bytes(broken.read_bytes()[:3000])
    with Image.open(broken) as cut, pytest.raises(ImageError, match="the image cannot be decoded"):
        as_picture(cut)
