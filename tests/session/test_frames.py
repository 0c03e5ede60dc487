"""Frames: how a picture is moved from one frame to the next, and what each frame has of its own."""

from __future__ import annotations

import numpy as np
import pytest

from kerasdream.config.sections import Frames
from kerasdream.plan.plan import make_plan
from kerasdream.plan.tiling import Cutting, Lattice
from kerasdream.results.checkpoint import Frame
from kerasdream.session.frames import following, frame_seed, moved, plan_of


def moved_by_hand(picture, zoom=1.0, rotate=0.0, shift=(0.0, 0.0)):
    """Look up each new pixel in the old picture with NumPy: linear in between, mirrored beyond the edges."""
    height, width = picture.shape[:2]
    down, right = np.mgrid[:height, :width].astype(float)
    down -= (height - 1) / 2 + shift[0] * height
    right -= (width - 1) / 2 + shift[1] * width
    turn = np.exp(1j * np.radians(rotate))  # right and up as a complex number: turned back by a division
    place = (right - 1j * down) / turn / zoom
    right, down = place.real + (width - 1) / 2, -place.imag + (height - 1) / 2

    def mirrored(i, n):
        i = np.abs(i) % (2 * n - 2)
        return np.minimum(i, 2 * n - 2 - i)

    y, x = np.floor(down).astype(int), np.floor(right).astype(int)
    b, a = (down - y)[..., None], (right - x)[..., None]
    ys, xs = [mirrored(i, height) for i in (y, y + 1)], [mirrored(i, width) for i in (x, x + 1)]
    top, bottom = ((1 - a) * picture[i, xs[0]] + a * picture[i, xs[1]] for i in ys)
    return (1 - b) * top + b * bottom


@pytest.mark.parametrize(
    "move",
    [
        {"zoom": 1.05},
        {"zoom": 0.8},
        {"zoom": 1.0, "rotate": 7.0},
        {"zoom": 1.0, "shift": (0.1, -0.25)},
        {"zoom": 1.03, "rotate": -2.5, "shift": (-0.02, 0.01)},
    ],
)
def test_picture_is_moved_with_linear_interpolation(chelsea, move):
    picture = chelsea[:90, :140]
    made = moved(picture, Frames(**move))
    np.testing.assert_allclose(made, moved_by_hand(picture, **move), atol=1e-4)
    assert made.dtype == np.float32
    np.testing.assert_allclose(moved(picture[..., 0], Frames(**move)), made[..., 0], atol=1e-6)


def test_directions_of_zoom_rotate_and_shift():
    """Zoom enlarges, positive angles are counter-clockwise, positive shifts go down and to the right."""
    picture = np.zeros((101, 101), "float32")
    picture[50, 80] = 1  # right of the centre
    for settings, place in (
        (Frames(zoom=1.5), (50, 95)),
        (Frames(zoom=1.0, rotate=90.0), (20, 50)),
        (Frames(zoom=1.0, shift=(20 / 101, 10 / 101)), (70, 90)),
    ):
        assert np.unravel_index(moved(picture, settings).argmax(), picture.shape) == place


def test_every_frame_has_its_own_seed():
    assert frame_seed(5, 0) == 5
    assert len({frame_seed(5, number) for number in range(100)}) == 100


def test_smaller_views_are_kept_in_later_frames(chelsea):
    plan = make_plan((64, 96), sizes=[(64, 96)], steps=[4], cutting=Cutting(Lattice(), 200), seed=0)
    settings, first = Frames(count=3), Frame()
    second = following(first, chelsea[:64, :96], None, 140, settings)
    third = following(second, second.pixels, None, second.views, settings)
    assert plan_of(first, plan) == plan
    assert [plan_of(frame, plan).cutting.size for frame in (second, third)] == [140, 140]
