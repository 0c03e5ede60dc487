"""The animated GIF: colours, times, recipe. Pictures: dots per inch."""

from __future__ import annotations

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageSequence

from kerasdream import ImageError, Result, images
from kerasdream.builtin.outputs import OUTPUTS, gif, jpeg, png, tiff, webp
from kerasdream.events import Finished


def written(path, pictures, **options):
    """A GIF of pictures in [-1, 1]."""
    with gif(**options).open(path) as receive:
        for number, picture in enumerate(pictures):
            receive(Finished(Result(picture, (), {}, {"recipe": {"seed": number}}), number, len(pictures)))
            assert path.exists() == (number == len(pictures) - 1)
    return path


def shown(path):
    with Image.open(path) as animation:
        return [np.asarray(frame.convert("RGB")).astype(float) for frame in ImageSequence.Iterator(animation)]


@pytest.fixture(scope="module")
def pictures(coffee):
    """A pan over a photo: its colours change little."""
    return [coffee[100:228, 150 + i : 310 + i] for i in range(0, 60, 10)]


def test_colours_are_true_and_do_not_flicker(pictures, tmp_path):
    frames = shown(written(tmp_path / "a.gif", pictures))
    wanted = [(picture + 1) * 127.5 for picture in pictures]
    default = tmp_path / "default.gif"
    first, *others = (Image.fromarray(np.rint(frame).astype("uint8")) for frame in wanted)
    first.save(default, save_all=True, append_images=others)

    def error(frames):
        """The error of frames at a small size, where dither averages out."""
        small = [
            images.resize(np.subtract(*pair).astype("float32"), (16, 20)) for pair in zip(frames, wanted, strict=True)
        ]
        return np.sqrt(np.mean(np.square(small)))

    assert error(frames) < 0.6 * error(shown(default))
    casts = [np.subtract(*pair).mean((0, 1)) for pair in zip(frames, wanted, strict=True)]
    assert np.abs(casts).max() < 1
    assert np.abs(np.diff(casts, axis=0)).max() < 0.5


@pytest.mark.parametrize(("fps", "times"), [(20, [50] * 6), (50, [20] * 6), (30, [30, 40, 30, 30, 40, 30])])
def test_frame_times_add_up(pictures, tmp_path, fps, times):
    path = written(tmp_path / "a.gif", pictures, fps=fps)
    with Image.open(path) as animation:
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(animation)] == times


@pytest.mark.parametrize(("loop", "again"), [(0, 0), (1, None), (3, 2)])
def test_loop_is_the_number_of_plays(pictures, tmp_path, loop, again):
    with Image.open(written(tmp_path / "a.gif", pictures, loop=loop)) as animation:
        assert animation.info.get("loop") == again


def test_large_frames_are_reduced(pictures, tmp_path):
    (frame,) = shown(written(tmp_path / "a.gif", pictures[:1], max_side=80))
    assert frame.shape == (64, 80, 3)
    assert np.abs(frame - (images.resize(pictures[0], (64, 80)) + 1) * 127.5).mean() < 6


def test_the_recipe_can_be_read_from_a_gif(pictures, tmp_path):
    path = written(tmp_path / "a.gif", pictures)
    assert images.read_recipe(path) == "recipe:\n  seed: 5\n"
    whole = path.read_bytes()
    long = "x" * 100_000 + "é"
    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "long.gif", comment=images.as_gif_comment(long))
    assert images.read_recipe(tmp_path / "long.gif") == long
    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "other.gif", comment=b"made by hand")
    assert images.read_recipe(tmp_path / "other.gif") is None
    start = whole.index(b"kerasdream")
    for length in (7, 11, start - 2, start + 8, start + 20):
        path.write_bytes(whole[:length])
        with pytest.raises(ImageError, match=r"a\.gif: the GIF file is truncated"):
            images.read_recipe(path)


def test_every_format_of_pictures_has_an_output():
    assert set(images.FORMATS.values()) == set(OUTPUTS) - {"gif"}


@pytest.mark.parametrize("output", [png, jpeg, tiff])
def test_dots_per_inch_are_the_given_or_the_photos(output, pictures, tmp_path):
    """A print of 300 dots per inch; the 240 of the photo; none, of a photo that has none or a senseless number."""
    for given, of_photo, expected in [(300, 240, 300), (None, 240, 240), (None, None, None), (None, 1, None)]:
        photo = tmp_path / "photo.png"
        Image.new("RGB", (8, 8)).save(photo, **({"dpi": (of_photo, of_photo)} if of_photo else {}))
        source = images.enlarged(images.read(photo), 16)
        with output(dpi=given).open(tmp_path / "dream") as receive:
            receive(Finished(Result(pictures[0], (), {}, {"recipe": {}}, dpi=source.dpi), 0, 1))
        found = images.read(tmp_path / "dream").dpi
        assert found == (expected and pytest.approx((expected, expected), abs=0.01))


@pytest.mark.parametrize("output", [png, webp, tiff])
def test_alpha_follows_the_attribution_and_the_photo(output, pictures, tmp_path):
    pulls = np.linspace(0, 1, 128 * 160, dtype="float32").reshape(128, 160)
    photo = np.repeat(np.float32([[1, 0.5]]), 80, axis=1).repeat(128, axis=0)
    made = output(alpha="attribution")
    assert made.attributed
    assert not output().attributed
    with made.open(tmp_path / "dream") as receive:
        receive(Finished(Result(pictures[0], (), {}, {"recipe": {}}, photo, attribution=pulls), 0, 1))
    alpha = images.read(tmp_path / "dream").alpha
    np.testing.assert_allclose(alpha, images.opacity(pulls) * photo, atol=1 / 255)
    assert (alpha[:20] == 0).all()
    assert (alpha[-20:, :80] == 1).all()
