"""Frames that grow out of one another: each is the dream of the last one moved, in float; their files; going on."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import skimage.data
import yaml
from PIL import Image

import kerasdream
from kerasdream import ConfigError, OutputError, images
from kerasdream.api import as_picture, session_for
from kerasdream.config.document import parse
from kerasdream.config.octaves import Octaves
from kerasdream.config.resolve import resolve
from kerasdream.config.sections import Frames
from kerasdream.events import Finished, Started, Stepped
from kerasdream.output_names import files_of, filled
from kerasdream.plan.plan import make_plan
from kerasdream.plan.tiling import Cutting, Lattice
from kerasdream.results.checkpoint import KeptFrames, checkpoint_path
from kerasdream.session.reel import Frame, frame_seed, moved


def moved_by_hand(picture, zoom=1.0, rotate=0.0, shift=(0.0, 0.0)):
    """Each new pixel is looked up in the old picture, by plain NumPy: linear in between, mirrored beyond the edges."""
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
def test_a_frame_is_moved_with_linear_interpolation(chelsea, move):
    picture = chelsea[:90, :140]
    made = moved(picture, Frames(**move))
    np.testing.assert_allclose(made, moved_by_hand(picture, **move), atol=1e-4)
    assert made.dtype == np.float32
    np.testing.assert_allclose(moved(picture[..., 0], Frames(**move)), made[..., 0], atol=1e-6)


def test_what_the_words_mean():
    """Zoom enlarges, turning is counter-clockwise, shifting goes down and to the right."""
    picture = np.zeros((101, 101), "float32")
    picture[50, 80] = 1  # right of the centre
    for settings, place in (
        (Frames(zoom=1.5), (50, 95)),
        (Frames(zoom=1.0, rotate=90.0), (20, 50)),
        (Frames(zoom=1.0, shift=(20 / 101, 10 / 101)), (70, 90)),
    ):
        assert np.unravel_index(moved(picture, settings).argmax(), picture.shape) == place


PLAIN = {"octaves": {"count": 2, "scale": 1.4, "steps": 3}, "priors": [], "max_side": None}


def dreamed(picture, model, frames, **options):
    """Every frame of a run, as ``Finished`` told it; and the result."""
    made = []

    def on_event(event):
        if isinstance(event, Finished):
            made.append(event.result.image)

    return made, kerasdream.dream(picture, model=model, frames=frames, on_event=on_event, **{**PLAIN, **options})


def test_each_frame_is_the_dream_of_the_last_one_moved(lite0, chelsea):
    picture = chelsea[100:196, 120:248]
    options = {"objectives": {"l2": "block5_expand"}, "seed": 5}
    move = {"zoom": 1.05, "rotate": 2.0, "shift": (0.01, -0.02)}
    frames, result = dreamed(picture, lite0, {"count": 3, **move}, **options)
    assert len(frames) == 3
    np.testing.assert_array_equal(result.image, frames[-1])
    expected = picture
    for number, frame in enumerate(frames):
        options["seed"] = frame_seed(5, number)
        expected = kerasdream.dream(expected.astype("float32"), model=lite0, **options, **PLAIN).image
        np.testing.assert_allclose(frame, expected, atol=1e-3)
        expected = moved_by_hand(expected, **move).clip(-1, 1)
    assert frame_seed(5, 0) == 5
    assert len({frame_seed(5, number) for number in range(100)}) == 100


def test_it_goes_in_and_keeps_what_was_dreamed(lite0, chelsea):
    """The centre of a frame, enlarged, is like the next one; and each frame sees more in it than the moved photo."""
    frames, _ = dreamed(chelsea[20:276, 40:360], lite0, {"count": 3, "zoom": 1.25}, objectives={"l2": "block8_expand"})
    for before, after in pairwise(frames):
        high, wide = 26, 32  # a tenth at each side: what 1.25 leaves out
        inner = images.resize(before[high:-high, wide:-wide], after.shape[:2])
        blurred = [images.resize(images.resize(p, (32, 40)), after.shape[:2]).ravel() for p in (inner, after, before)]
        assert np.corrcoef(blurred[0], blurred[1])[0, 1] > 0.9 > np.corrcoef(blurred[2], blurred[1])[0, 1]


def test_one_trace_for_all_frames_and_events_that_count_them(tiny, chelsea):
    seen = []
    session = session_for(
        model=tiny, objectives={"l2": "c3"}, frames={"count": 3}, input_range=(0, 255), on_event=seen.append, **PLAIN
    )
    session.dream(as_picture(chelsea[:64, :96]))
    assert session.step.engine.traces == 1
    each = [Started, *[Stepped] * 6, Finished]
    assert [type(event) for event in seen] == each * 3
    assert [(e.frame, e.frames) for e in seen if not isinstance(e, Stepped)] == [(i // 2, 3) for i in range(6)]
    assert [e.last for e in seen if isinstance(e, Finished)] == [False, False, True]
    assert [e.result.manifest["frame"] for e in seen if isinstance(e, Finished)] == [1, 2, 3]


def test_a_picture_is_a_run_of_one_frame(tiny, chelsea):
    options = {"model": tiny, "objectives": {"l2": "c3"}, "input_range": (0, 255), **PLAIN}
    one = kerasdream.dream(chelsea[:64, :96], frames={"count": 1, "zoom": 2.0}, **options)
    np.testing.assert_array_equal(one.image, kerasdream.dream(chelsea[:64, :96], **options).image)
    assert "frame" not in one.manifest


def test_an_anchor_holds_the_colours_of_the_first_frame(tiny, chelsea):
    options = {"objectives": {"l2": "c3"}, "input_range": (0, 255), "ascent": ["normalize", {"rate": 0.05}]}
    colors = {}
    for anchor in (False, True):
        frames, _ = dreamed(chelsea[:64, :96], tiny, {"count": 6, "anchor": anchor}, **options)
        colors[anchor] = np.array([[f.mean((0, 1)), f.std((0, 1))] for f in frames])
    np.testing.assert_allclose(colors[True], colors[True][:1].repeat(6, 0), atol=0.02)  # clipping takes a little
    np.testing.assert_array_equal(colors[True][0], colors[False][0])
    assert np.abs(colors[False][-1] - colors[False][0]).max() > 0.05


def test_memory_that_ran_out_is_remembered_in_later_frames(chelsea):
    plan = make_plan((64, 96), octaves=Octaves(count=1, steps=4), cutting=Cutting(Lattice(), 200), seed=0)
    frame = Frame().next(chelsea[:64, :96], None, 140, Frames(count=2))
    assert frame.plan(plan).cutting.size == 140
    assert Frame().plan(plan) == plan
    assert frame.next(frame.pixels, None, frame.views, Frames(count=2)).plan(plan).cutting.size == 140


OUTPUTS = [
    {"png": {"path": "cat-{frame}.png"}},
    {"gif": {"path": "cat.gif", "fps": 10}},
    {"jpeg": {"path": "last.jpg"}},
]
FILES = ["cat-0001.png", "cat-0002.png", "cat-0003.png", "cat-0004.png", "cat.gif", "last.jpg"]


@pytest.fixture
def run(tmp_path, tiny):
    """Runs four frames of six steps in this process; returns the result and the (frame, step) that were taken."""
    tiny.save(tmp_path / "tiny.keras")
    pixels = np.dstack([skimage.data.chelsea()[:64, :96], np.full((64, 96), 255, np.uint8)])
    pixels[:, :30, 3] = 60
    Image.fromarray(pixels).save(tmp_path / "cat.png")

    def call(stop=None, reason=KeyboardInterrupt, folder="out", resume=False, overwrite=False, **keys):
        taken, frame = [], 0

        def on_event(event):
            nonlocal frame
            if isinstance(event, Started):
                frame = event.frame
            elif isinstance(event, Stepped):
                taken.append((frame, event.progress.run_step))
                if taken[-1] == stop:
                    raise reason

        (tmp_path / folder).mkdir(exist_ok=True)
        data = {
            "image": str(tmp_path / "cat.png"),
            "model": {"file": str(tmp_path / "tiny.keras"), "input_range": [-1, 1]},
            "objectives": {"l2": "c3"},
            "octaves": {"count": 2, "scale": 1.4, "steps": 3},
            "frames": {"count": 4, "zoom": 1.1, "anchor": True},
            "outputs": OUTPUTS,
            **keys,
        }
        folder = tmp_path / folder
        return kerasdream.run(data, folder=folder, on_event=on_event, resume=resume, overwrite=overwrite), taken

    return call


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def manifest(path):
    return yaml.safe_load(images.read_recipe(path))


def test_every_frame_is_a_file_and_all_of_them_a_gif(run, tmp_path):
    result, taken = run()
    out = tmp_path / "out"
    assert len(taken) == 24
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


def test_alpha_is_moved_with_the_frame(run, tmp_path):
    run()
    alphas = [images.read(tmp_path / "out" / name).alpha for name in FILES[:4]]
    expected = alphas[0].astype(float)[..., None]
    for alpha in alphas:
        np.testing.assert_allclose(alpha, expected[..., 0], atol=0.01)
        expected = moved_by_hand(expected, zoom=1.1)
    assert (alphas[0] < 0.5).sum() > (alphas[3] < 0.5).sum() > 0


def test_postprocessing_is_not_fed_on(run, tmp_path):
    plain, _ = run()
    result, _ = run(folder="large", postprocess=[{"upscale": 2}, {"grade": {"saturation": 0}}])
    assert result.image.shape == (128, 192, 3)
    assert np.ptp(result.image, axis=-1).max() < 1e-5
    small = images.resize(result.image, (64, 96)).mean(-1)
    assert np.abs(small - images.luma(plain.image)[..., 0]).mean() < 0.02


@pytest.mark.parametrize("reason", [KeyboardInterrupt, ZeroDivisionError], ids=["interrupted", "crashed"])
@pytest.mark.parametrize("stop", [(0, 1), (1, 0), (2, 4), (3, 5)], ids=str)
def test_from_any_frame_it_goes_on_with_the_same_bits(run, tmp_path, stop, reason):
    _, steps = run(folder="whole")
    if reason is KeyboardInterrupt:
        first, before = run(stop)
        assert first.interrupted
    else:
        with pytest.raises(ZeroDivisionError):
            run(stop, reason)
    out = tmp_path / "out"
    if reason is KeyboardInterrupt:  # what was made is kept, an animation of it too
        with Image.open(out / "cat.gif") as gif:
            assert gif.n_frames == stop[0] + 1
        flags = [manifest(out / name).get("interrupted", False) for name in FILES[: stop[0] + 1]]
        assert flags == [False] * stop[0] + [True]
        assert [path.name for path in first.paths] == [*FILES[: stop[0] + 1], *FILES[4:]]
    else:
        assert [name for name in names(out) if name[0] != "."] == FILES[: stop[0]]
    assert checkpoint_path(out / "cat-{frame}.png").exists()
    written = {name: (out / name).stat().st_mtime_ns for name in FILES[: stop[0]]}
    second, after = run(resume=True)
    if reason is KeyboardInterrupt:
        assert before + after == steps
    assert len(after) < 24
    assert all((out / name).stat().st_mtime_ns == when for name, when in written.items())  # not made again
    assert names(out) == FILES
    for name in FILES:
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert [path.name for path in second.paths] == FILES


def test_interrupted_between_two_frames(run, tmp_path, monkeypatch):
    """A signal may come while nothing is dreamed: the frame that was done is not dreamed again."""
    run(folder="whole")

    def interrupted(*arguments):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("kerasdream.session.reel.moved", interrupted)
        with pytest.raises(KeyboardInterrupt):
            run()
    assert [name for name in names(tmp_path / "out") if name[0] != "."] == FILES[:1]
    _, after = run(resume=True)
    assert after[0] == (1, 0)
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_what_is_done_is_not_done_again(run, tmp_path):
    first, _ = run()
    again, steps = run(resume=True)
    assert steps == []
    assert again.paths == first.paths
    assert again.manifest == first.manifest
    np.testing.assert_allclose(again.image, first.image, atol=0.004)
    with pytest.raises(OutputError, match=r"cat-0001\.png exists; add --overwrite"):
        run()
    with pytest.raises(
        OutputError, match=r"cat-0001\.png exists and is another picture \(recipe\.frames\.zoom is 1\.2"
    ):
        run(resume=True, frames={"count": 4, "zoom": 1.2, "anchor": True})


def test_a_kept_frame_that_is_gone_is_said(run, tmp_path):
    run((2, 2))
    out = tmp_path / "out"
    kept = KeptFrames(out / "cat-{frame}.png").folder
    assert names(kept) == ["0.png", "1.png"]
    (kept / "1.png").unlink()
    with pytest.raises(OutputError, match=r"frame 2, which was finished, cannot be read again .* leave --resume out"):
        run(resume=True)
    run(overwrite=True)
    assert names(out) == FILES


def test_frames_alone_are_not_kept_twice(run, tmp_path):
    run((2, 2), outputs=OUTPUTS[:1])
    assert names(tmp_path / "out") == [".cat-{frame}.png.checkpoint", *FILES[:3]]


def test_a_frame_is_a_recipe(run, tmp_path, here):
    run()
    (tmp_path / "out" / "cat.png").write_bytes((tmp_path / "cat.png").read_bytes())
    code, out, err = here("show", tmp_path / "out" / "cat.gif")
    assert code == 0, err
    assert yaml.safe_load(out)["frame"] == 4


def test_the_names_of_frames():
    path = Path(filled("{stem}-{seed}-{frame}.png", {"stem": "cat", "seed": "7"}))
    assert [file.name for file in files_of(path, 2)] == ["cat-7-0001.png", "cat-7-0002.png"]
    long = files_of(path, 12_000)
    assert (long[0].name, long[-1].name) == ("cat-7-00001.png", "cat-7-12000.png")
    assert sorted(long) == long
    assert files_of(Path("cat.gif"), 100) == [Path("cat.gif")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("frames: {count: 0}", "2:10: frames.count: expected a number greater than or equal to 1, not 0"),
        ("frames: {zoom: 0}", "frames.zoom: expected a number greater than 0, not 0"),
        ("frames: {shift: [0.1]}", "frames.shift"),
        ("frames: {zom: 1.1}", "did you mean 'zoom'?"),
        ("frames: 100", "expected a mapping of count, zoom, rotate, shift, anchor, not 100"),
        ("outputs: [png: {path: 'a/{frame}/b.png'}]", "has {frame} in a folder's name; move it to the file's name"),
        ("outputs: [png: {path: '{number}.png'}]", "has {number}; expected {stem}, {seed}, {frame}"),
    ],
)
def test_faults(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        resolve(parse(f"image: photo.jpg\n{text}\n", "f.yaml"), tmp_path)
    assert words in str(caught.value)


def test_the_plan_shows_the_frames(here, tmp_path, chelsea):
    images.save(tmp_path / "photo.png", chelsea, format="png")
    (tmp_path / "run.yaml").write_text("image: photo.png\nframes: {count: 100, rotate: 0.5, shift: [0, 0.01]}\n")
    code, out, _ = here("plan", tmp_path / "run.yaml")
    assert code == 0
    *_, frames, note = out.splitlines()
    assert frames == "  100 frames, each the dream of the one before: zoom 1.05, rotate 0.5°, shift 0, 0.01"
    assert note == "  note: only the last frame is written: put {frame} into the path of an output, or write a gif"
    (row,) = json.loads(here("plan", "--json", tmp_path / "run.yaml", "-s", "outputs=[gif]")[1])
    assert row["frames"]["count"] == 100
    assert row["notes"] == []


def test_on_the_terminal(run, tmp_path, capsys):
    """One line a frame; the files at the end; where it goes on."""
    from kerasdream.cli.runs import run_all
    from kerasdream.config.resolve import load

    run((2, 2))
    out = tmp_path / "out"
    (tmp_path / "run.yaml").write_text(yaml.safe_dump({**manifest(out / "cat-0001.png")["recipe"], "image": "cat.png"}))
    assert run_all(load(tmp_path / "run.yaml"), folder=out, quiet=False, as_json=False, resume=True) is False
    told = capsys.readouterr()
    assert "cat.png: resuming frame 3 of 4, after step 3 of 6\n" in told.err
    assert [line.partition("  ")[0] for line in told.err.splitlines() if line.startswith("frame")] == [
        "frame 3/4",
        "frame 4/4",
    ]
    assert told.out.splitlines() == [str(out / name) for name in (*FILES[2:4], *FILES[4:])]
