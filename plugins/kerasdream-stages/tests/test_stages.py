"""The files show the stages of a dream: the right number of frames, in order, with the recipe embedded."""

from contextlib import ExitStack
from pathlib import Path

import kerasdream_stages
import numpy as np
import pytest
from kerasdream_stages import animated_webp, contact_sheet
from PIL import Image

import kerasdream
from kerasdream import Objective, images
from kerasdream.events import Finished
from kerasdream.testing import check_output, check_plugin

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_the_plugin_loads():
    assert check_plugin(kerasdream_stages) == ["outputs/animated_webp", "outputs/contact_sheet"]


@pytest.mark.parametrize("factory", [animated_webp, contact_sheet])
def test_each_output(factory, tmp_path):
    check_output(factory, folder=tmp_path)


def test_an_animation_goes_from_the_photo_to_the_dream(tmp_path, photo):
    (path,) = check_output(animated_webp, {"every": 2, "max_side": 80, "quality": 100}, folder=tmp_path)
    with Image.open(path) as animation:
        assert (animation.n_frames, animation.size) == (4, (80, 60))  # steps 1, 3 and 5 of 6, and the end
        frames = []
        for number in range(animation.n_frames):
            animation.seek(number)
            frames.append(np.asarray(animation.convert("RGB")).astype(float))
    small = images.to_uint8(images.resize(photo, (60, 80))).astype(float)
    away = [abs(frame - small).mean() for frame in frames]
    assert away[0] < away[-1]
    assert abs(frames[-1] - frames[0]).mean() > 2


def test_the_sheet_holds_each_octave(tmp_path):
    (path,) = check_output(contact_sheet, {"columns": 2, "width": 64, "gap": 4}, folder=tmp_path)
    sheet = images.read(path).pixels
    assert sheet.shape == (2 * 48 + 4, 2 * 64 + 4, 3)  # two octaves and the end, in two rows
    assert (sheet[48:52] == -1).all()
    assert (sheet[52:, 68:] == -1).all()
    assert sheet[52:, :64].std() > 0.1
    assert images.read_recipe(path)


def test_of_several_frames_each_is_shown_once(tmp_path, photo, tiny_network):
    """Steps are not shown; the file is written after the last frame."""
    objective = Objective("conv2", lambda activations: activations["conv2"][..., 0] ** 2)
    outputs = {"a.webp": animated_webp(max_side=80, quality=100), "a.png": contact_sheet(columns=3, width=80, gap=0)}
    shown = []
    with ExitStack() as stack:
        receivers = [stack.enter_context(output.open(tmp_path / name)) for name, output in outputs.items()]

        def on_event(event):
            for receive in receivers:
                receive(event)
            if isinstance(event, Finished):
                shown.append(images.resize(event.result.image, (60, 80)).clip(-1, 1))
                assert [(tmp_path / name).exists() for name in outputs] == [len(shown) == 3] * 2

        parts = {"octaves": {"count": 2, "steps": 3}, "frames": {"count": 3, "zoom": 1.2}}
        kerasdream.dream(photo, model=tiny_network, objectives=objective, on_event=on_event, **parts)
    with Image.open(tmp_path / "a.webp") as animation:
        assert animation.n_frames == 3
    np.testing.assert_allclose(images.read(tmp_path / "a.png").pixels, np.hstack(shown), atol=0.5 / 127.5 + 1e-6)


def test_the_example_runs(tmp_path):
    config = kerasdream.load_config(EXAMPLE, ["octaves.count=2", "octaves.steps=2", "image.size=[64, 96]"])
    result = kerasdream.run(config, folder=tmp_path)
    assert [path.name for path in result.paths] == ["noise-dream.png", "noise-dream.webp", "noise-stages.png"]
    assert all(path.stat().st_size for path in result.paths)
