"""The functions of the Python interface."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

import kerasdream
from kerasdream import ConfigError, ImageError
from kerasdream.api import as_picture


def test_unknown_option_is_an_error(chelsea):
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'octave'; did you mean 'octaves'"):
        kerasdream.dream(chelsea, octave={"count": 1})


def test_run_of_several_pictures_is_an_error(tmp_path, chelsea):
    for name in "ab":
        kerasdream.images.save(tmp_path / f"{name}.png", chelsea[:32, :32], format="png")
    with pytest.raises(ConfigError, match="this run has 2 pictures; call kerasdream"):
        kerasdream.run({"image": str(tmp_path)})


def test_noise_is_dreamed(tiny):
    options = {"objectives": {"l2": "c3"}, "input_range": (-1, 1), "octaves": {"count": 1, "steps": 1}}
    assert kerasdream.dream("noise", model=tiny, **options).image.shape == (512, 512, 3)


@pytest.mark.parametrize(
    ("array", "words"),
    [
        (np.zeros((4, 4)), r"an array of shape \(4, 4\) is not a picture; expected \(height, width, 3\)"),
        (np.full((4, 4, 3), 2.0), "expected uint8, or finite floats in \\[-1, 1\\]; this float64 array is neither"),
        (np.full((4, 4, 3), np.nan), "expected uint8, or finite floats"),
    ],
)
def test_arrays_that_are_not_pictures_are_errors(array, words):
    with pytest.raises(ImageError, match=words):
        as_picture(array)


def test_pictures_may_be_arrays_images_or_paths(chelsea, tmp_path):
    pixels = ((chelsea[:64, :80] + 1) * 127.5).round().astype("uint8")
    Image.fromarray(pixels).save(tmp_path / "cat.png")
    for form in (pixels, Image.fromarray(pixels), tmp_path / "cat.png", str(tmp_path / "cat.png"), chelsea[:64, :80]):
        np.testing.assert_allclose(as_picture(form).pixels, chelsea[:64, :80], atol=1e-6)


def test_side_is_the_size_of_the_result(tiny, chelsea):
    options = {"objectives": {"l2": "c3"}, "input_range": (0, 255), "octaves": {"count": 1, "steps": 1}}
    result = kerasdream.dream(chelsea[:40, :60], model=tiny, side=90, **options)
    assert (result.image.shape, result.notes) == ((60, 90, 3), ())
    assert result.manifest["recipe"]["image"]["side"] == 90
    with pytest.raises(ConfigError, match="expected either side"):
        kerasdream.dream(chelsea, model=tiny, side=90, max_side=100, **options)


def test_large_pictures_are_shrunk(tiny, chelsea):
    options = {"objectives": {"l2": "c3"}, "input_range": (0, 255), "octaves": {"count": 1, "steps": 1}}
    result = kerasdream.dream(chelsea, model=tiny, max_side=60, **options)
    assert result.image.shape == (40, 60, 3)
    assert result.notes[0] == (
        "picture: 451×300 is dreamed at 60×40 (image.max_side: 60); side=451 or max_side=None keeps it"
    )
    assert as_picture(chelsea, 150).stored.shape == (100, 150, 3)
    assert as_picture(chelsea).stored.shape == chelsea.shape
