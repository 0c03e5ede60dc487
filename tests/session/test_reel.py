"""The frame loop: runs of several frames, the files they write, and how they are interrupted and resumed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import skimage.data
import yaml
from PIL import Image

import kerasdream
from kerasdream import OutputError, images
from kerasdream.api import as_picture, session_for
from kerasdream.cli.runs import run_all
from kerasdream.config.resolve import load
from kerasdream.config.sections import Frames
from kerasdream.events import Finished, Result, Started, Stepped
from kerasdream.results.checkpoint import checkpoint_path
from kerasdream.results.kept_frames import KeptFrames
from kerasdream.session.frames import frame_seed, moved

PLAIN = {
    "objectives": {"l2": "c3"},
    "input_range": (0, 255),
    "octaves": {"count": 2, "scale": 1.4, "steps": 3},
    "priors": [],
    "max_side": None,
}


def dreamed(picture, model, frames, **options):
    """Return every frame of a run, and the result."""
    made = []

    def on_event(event):
        if isinstance(event, Finished):
            made.append(event.result.image)

    return made, kerasdream.dream(picture, model=model, frames=frames, on_event=on_event, **{**PLAIN, **options})


def test_each_frame_is_the_dream_of_the_previous_one_moved(tiny, chelsea):
    picture, settings = chelsea[100:164, 120:216], {"zoom": 1.05, "rotate": 2.0, "shift": (0.01, -0.02)}
    frames, result = dreamed(picture, tiny, {"count": 3, **settings}, seed=5)
    assert len(frames) == 3
    np.testing.assert_array_equal(result.image, frames[-1])
    for number, frame in enumerate(frames):
        expected = kerasdream.dream(picture, model=tiny, **{**PLAIN, "seed": frame_seed(5, number)}).image
        np.testing.assert_allclose(frame, expected, atol=1e-3)
        picture = moved(expected, Frames(**settings)).clip(-1, 1)


def test_frames_share_one_trace_and_are_numbered_in_events(tiny, chelsea):
    seen = []
    session = session_for(model=tiny, frames={"count": 3}, on_event=seen.append, **PLAIN)
    session.dream(as_picture(chelsea[:64, :96]))
    assert session.step.engine.traces == 1
    each = [Started, *[Stepped] * 6, Finished]
    assert [type(event) for event in seen] == each * 3
    assert [(e.frame, e.frames) for e in seen if not isinstance(e, Stepped)] == [(i // 2, 3) for i in range(6)]
    assert [e.last for e in seen if isinstance(e, Finished)] == [False, False, True]
    assert [e.result.manifest["frame"] for e in seen if isinstance(e, Finished)] == [1, 2, 3]


def test_single_picture_is_a_run_of_one_frame(tiny, chelsea):
    one = kerasdream.dream(chelsea[:64, :96], model=tiny, frames={"count": 1, "zoom": 2.0}, **PLAIN)
    np.testing.assert_array_equal(one.image, kerasdream.dream(chelsea[:64, :96], model=tiny, **PLAIN).image)
    assert "frame" not in one.manifest


def test_anchor_keeps_the_colours_of_the_first_frame(tiny, chelsea):
    colors, rule = {}, ["normalize", {"rate": 0.05}]
    for anchor in (False, True):
        frames, _ = dreamed(chelsea[:64, :96], tiny, {"count": 4, "anchor": anchor}, ascent=rule)
        colors[anchor] = np.array([[f.mean((0, 1)), f.std((0, 1))] for f in frames])
    np.testing.assert_allclose(colors[True], colors[True][:1].repeat(4, 0), atol=0.02)  # clipping takes a little
    np.testing.assert_array_equal(colors[True][0], colors[False][0])
    assert np.abs(colors[False][-1] - colors[False][0]).max() > 0.05


OUTPUTS = [
    {"png": {"path": "cat-{frame}.png"}},
    {"gif": {"path": "cat.gif", "fps": 10}},
    {"jpeg": {"path": "last.jpg"}},
]
FILES = ["cat-0001.png", "cat-0002.png", "cat-0003.png", "cat-0004.png", "cat.gif", "last.jpg"]


@pytest.fixture(scope="module")
def base(tmp_path_factory, tiny):
    """A folder with a photo, partly transparent, and a network."""
    folder = tmp_path_factory.mktemp("frames")
    tiny.save(folder / "tiny.keras")
    pixels = np.dstack([skimage.data.chelsea()[:64, :96], np.full((64, 96), 255, np.uint8)])
    pixels[:, :30, 3] = 60
    Image.fromarray(pixels).save(folder / "cat.png")
    return folder


@pytest.fixture(scope="module")
def run(base):
    """Run four frames of six steps in this process; return the result and each (frame, step) that was taken."""

    def call(folder, stop=None, reason=KeyboardInterrupt, resume=False, overwrite=False, **keys):
        taken, frame = [], 0

        def on_event(event):
            nonlocal frame
            if isinstance(event, Started):
                frame = event.frame
            elif isinstance(event, Stepped):
                taken.append((frame, event.progress.run_step))
                if taken[-1] == stop:
                    raise reason

        folder.mkdir(exist_ok=True)
        data = {
            "image": str(base / "cat.png"),
            "model": {"file": str(base / "tiny.keras"), "input_range": [-1, 1]},
            "objectives": {"l2": "c3"},
            "octaves": {"count": 2, "scale": 1.4, "steps": 3},
            "frames": {"count": 4, "zoom": 1.1, "anchor": True},
            "outputs": OUTPUTS,
            **keys,
        }
        return kerasdream.run(data, folder=folder, on_event=on_event, resume=resume, overwrite=overwrite), taken

    return call


class Whole(NamedTuple):
    """A run that was not interrupted; its files are not to be changed."""

    folder: Path
    result: Result
    steps: list[tuple[int, int]]


@pytest.fixture(scope="module")
def whole(base, run):
    return Whole(base / "whole", *run(base / "whole"))


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def manifest(path):
    return yaml.safe_load(images.read_recipe(path))


def test_every_frame_is_a_file_and_all_frames_are_a_gif(whole):
    out, result = whole.folder, whole.result
    assert len(whole.steps) == 24
    assert names(out) == FILES == [path.name for path in result.paths]
    frames = [images.read(out / name) for name in FILES[:4]]
    np.testing.assert_allclose(frames[3].pixels, result.image, atol=0.5 / 127.5 + 1e-6)
    assert [manifest(out / name)["frame"] for name in FILES] == [1, 2, 3, 4, 4, 4]
    assert manifest(out / "cat.gif")["recipe"] == manifest(out / "cat-0002.png")["recipe"]
    assert manifest(out / "cat.gif")["recipe"]["frames"] == {
        "count": 4, "zoom": 1.1, "rotate": 0.0, "shift": [0.0, 0.0], "anchor": True,
    }  # fmt: skip
    with Image.open(out / "cat.gif") as gif:
        assert (gif.n_frames, gif.size, gif.info["duration"], gif.info["loop"]) == (4, (96, 64), 100, 0)
        for number, frame in enumerate(frames):
            gif.seek(number)
            shown = np.asarray(gif.convert("RGB")).astype(float)
            alpha = frame.alpha[..., None]
            expected = ((frame.pixels + 1) * alpha + 2 * (1 - alpha)) * 127.5  # on white
            assert np.abs(shown - expected).mean() < 6
            np.testing.assert_allclose(shown.mean((0, 1)), expected.mean((0, 1)), atol=2)


def test_alpha_is_moved_with_the_frame(whole):
    alphas = [images.read(whole.folder / name).alpha for name in FILES[:4]]
    expected = alphas[0]
    for alpha in alphas:
        np.testing.assert_allclose(alpha, expected, atol=0.01)
        expected = moved(expected, Frames(zoom=1.1))
    assert (alphas[0] < 0.5).sum() > (alphas[3] < 0.5).sum() > 0


def test_postprocessing_does_not_affect_later_frames(run, whole, tmp_path):
    result, _ = run(tmp_path, postprocess=[{"upscale": 2}, {"grade": {"saturation": 0}}])
    assert result.image.shape == (128, 192, 3)
    assert np.ptp(result.image, axis=-1).max() < 1e-5
    small = images.resize(result.image, (64, 96)).mean(-1)
    assert np.abs(small - images.luma(whole.result.image)[..., 0]).mean() < 0.02


STOPS = ((0, 1), (2, 0), (3, 5))
"""Frame and step: within an octave, and after the first and last step of a frame."""


def shown(folder):
    return [name for name in names(folder) if name[0] != "."]


def test_interrupted_run_resumes_to_the_same_bytes(run, whole, tmp_path):
    out, taken, written = tmp_path, [], {}
    for frame, step in STOPS:
        result, new = run(out, (frame, step), resume=True)
        taken += new
        assert result.interrupted
        assert [path.name for path in result.paths] == [*FILES[: frame + 1], *FILES[4:]]
        with Image.open(out / "cat.gif") as gif:  # shows what there is so far
            assert gif.n_frames == frame + 1
        flags = [manifest(out / name).get("interrupted", False) for name in FILES[: frame + 1]]
        assert flags == [False] * frame + [True]
        assert checkpoint_path(out / "cat-{frame}.png").exists()
        assert written.items() <= {name: (out / name).stat().st_mtime_ns for name in FILES[:frame]}.items()
        written = {name: (out / name).stat().st_mtime_ns for name in FILES[:frame]}
    result, new = run(out, resume=True)
    assert [*taken, *new] == whole.steps
    assert [path.name for path in result.paths] == names(out) == FILES
    for name in FILES:
        assert (out / name).read_bytes() == (whole.folder / name).read_bytes(), name


def test_crashed_run_resumes_to_the_same_bytes(run, whole, tmp_path):
    """Nothing is saved when it crashes; it resumes from the last checkpoint."""
    out = tmp_path
    for frame, step in STOPS[1:]:
        with pytest.raises(ZeroDivisionError):
            run(out, (frame, step), ZeroDivisionError, resume=True)
        assert shown(out) == FILES[:frame]
    _, steps = run(out, resume=True)
    assert len(steps) < 6
    assert names(out) == FILES
    for name in FILES:
        assert (out / name).read_bytes() == (whole.folder / name).read_bytes(), name


def test_run_interrupted_between_two_frames_does_not_repeat_the_first(run, whole, tmp_path, monkeypatch):
    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("kerasdream.session.frames.moved", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path)
    assert shown(tmp_path) == FILES[:1]
    _, after = run(tmp_path, resume=True)
    assert after[0] == (1, 0)
    for name in FILES:
        assert (tmp_path / name).read_bytes() == (whole.folder / name).read_bytes(), name


def test_finished_run_is_left_alone(run, whole):
    again, steps = run(whole.folder, resume=True)
    assert steps == []
    assert again.paths == whole.result.paths
    assert again.manifest == whole.result.manifest
    np.testing.assert_allclose(again.image, whole.result.image, atol=0.004)
    with pytest.raises(OutputError, match=r"cat-0001\.png exists; pass overwrite=True"):
        run(whole.folder)
    changed = {"count": 4, "zoom": 1.2, "anchor": True}
    with pytest.raises(OutputError, match=r"cat-0001\.png .* is a different picture \(recipe\.frames\.zoom is 1\.2"):
        run(whole.folder, resume=True, frames=changed)


def test_missing_kept_frame_is_an_error(run, tmp_path):
    run(tmp_path, (2, 2))
    kept = KeptFrames(tmp_path / "cat-{frame}.png").folder
    assert names(kept) == ["0.png", "1.png"]
    (kept / "1.png").unlink()
    with pytest.raises(OutputError, match=r"frame 2, which was finished, cannot be read again .*; drop resume=True"):
        run(tmp_path, resume=True)


def test_kept_frame_keeps_its_attribution(tmp_path):
    kept, image = KeptFrames(tmp_path / "cat.gif"), np.zeros((4, 5, 3), "float32")
    pulls = np.arange(20, dtype="float32").reshape(4, 5)
    for number, attribution in enumerate([pulls, None]):
        kept.keep(number, kerasdream.Result(image, (), {}, {}, attribution=attribution))
    np.testing.assert_array_equal(kept.read(0).attribution, pulls)
    assert kept.read(1).attribution is None


def test_frames_are_kept_only_for_outputs_with_all_frames(run, tmp_path):
    run(tmp_path, (2, 2), outputs=OUTPUTS[:1])
    assert names(tmp_path) == [".cat-{frame}.png.checkpoint", *FILES[:3]]


def test_resumed_run_on_the_terminal(run, base, tmp_path, capsys):
    out = tmp_path
    run(out, (2, 2))
    recipe = manifest(out / "cat-0001.png")["recipe"]
    (base / "run.yaml").write_text(yaml.safe_dump({**recipe, "image": "cat.png"}))
    assert run_all(load(base / "run.yaml"), folder=out, quiet=False, as_json=False, resume=True) is False
    printed = capsys.readouterr()
    assert "cat.png: resuming frame 3 of 4, after step 3 of 6\n" in printed.err
    assert [line.partition("  ")[0] for line in printed.err.splitlines() if line.startswith("frame")] == [
        "frame 3/4",
        "frame 4/4",
    ]
    assert printed.out.splitlines() == [str(out / name) for name in (*FILES[2:4], *FILES[4:])]
