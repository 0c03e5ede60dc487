"""Going on where a dream was ended, to the very pixels of one that was not: runs that are killed, interrupted, told
another recipe; and the saved state itself."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import skimage.data
from PIL import Image

import kerasdream
from kerasdream import ModelError, OutputError, Parametrization, PluginError, images, ops
from kerasdream.config.document import parse
from kerasdream.config.octaves import Octaves
from kerasdream.dreaming.loop import AscentState
from kerasdream.events import Stepped
from kerasdream.plan.plan import make_plan
from kerasdream.plan.tiling import Cutting, Lattice
from kerasdream.results.checkpoint import Checkpoint, checkpoint_path

MOMENTUM = """\
from kerasdream import Rule, hookimpl


def inertia(*, decay: float = 0.8) -> Rule:
    \"\"\"Adds up what came before; remembers a tree of a tensor and a number.\"\"\"

    def update(gradient, memory, state):
        speed = gradient + decay * memory["speed"]
        return speed, {"speed": speed, "count": (memory["count"][0] + 1,)}

    return Rule(update, lambda state: {"speed": 0 * state, "count": (0,)})


@hookimpl
def register_ascent(register):
    register(inertia)
"""

RUN = """\
image: {source: cat.png, max_side: 192}
plugins: [inertia.py]
ascent: [normalize, inertia, {rate: {from: 0.01, to: 0.004, over: run}}]
octaves: {count: 3, scale: 1.3, steps: 12}
"""


AGAIN = """\
import sys
from kerasdream.cli.main import main

sys.argv = ["kerasdream", "run", "run.yaml", "--resume", "--json"]
try:
    main()
except SystemExit as leaving:
    print(leaving.code, [module for module in ("tensorflow", "keras") if module in sys.modules])
"""


def start(*command, cwd):
    return subprocess.Popen(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def kerasdream_run(*arguments, cwd):
    return start(sys.executable, "-m", "kerasdream", *arguments, cwd=cwd)


def done(process):
    out, err = process.communicate(timeout=100)
    assert process.returncode == 0, err
    return out, err


def wait_for(file, process):
    """Waits until a process that runs has written a file."""
    ends = time.monotonic() + 100
    while not file.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < ends
        time.sleep(0.01)


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


def manifest(path):
    return parse(images.read_recipe(path), str(path)).data


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
def test_killed_and_interrupted_it_goes_on_to_the_same_pixels(tmp_path):
    """A cat, the embedded network, a rule with memory: killed after a step, interrupted in the second octave."""
    Image.fromarray(skimage.data.chelsea()).save(tmp_path / "cat.png")
    (tmp_path / "inertia.py").write_text(MOMENTUM)
    (tmp_path / "run.yaml").write_text(RUN)
    whole = kerasdream_run("run", "run.yaml", "-o", "whole", cwd=tmp_path)
    done(whole)

    dream = tmp_path / "out" / "cat-dream.png"
    state = checkpoint_path(dream)
    killed = kerasdream_run("run", "run.yaml", "-o", "out", cwd=tmp_path)
    wait_for(state, killed)
    killed.kill()
    killed.communicate(timeout=60)
    assert not dream.exists()

    stopped = kerasdream_run("run", "run.yaml", "-o", "out", "--resume", cwd=tmp_path)
    for line in stopped.stderr:
        if line.startswith("octave 1/3"):
            stopped.send_signal(signal.SIGINT)
            break
        seen = line
    out, err = stopped.communicate(timeout=60)
    assert seen == "cat.png: resuming after step 1 of 36\n"
    assert stopped.returncode == 130
    assert out == "out/cat-dream.png\n"
    assert err.splitlines()[-1] == "kerasdream: interrupted"
    assert manifest(dream)["interrupted"] is True
    (told,) = [line for line in err.splitlines() if "resume with: " in line]

    resumed = start(*shlex.split(told.partition("resume with: ")[2]), cwd=tmp_path)
    _, err = done(resumed)
    assert "cat.png: resuming after step 1" in err  # 12 steps or more
    assert not state.exists()
    assert manifest(dream) == manifest(tmp_path / "whole" / "cat-dream.png")
    np.testing.assert_array_equal(pixels(dream), pixels(tmp_path / "whole" / "cat-dream.png"))


@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
def test_a_folder_goes_on_at_the_picture_that_was_killed(tmp_path, tiny):
    """Photos and dreams lie in one folder; what was dreamed is neither dreamed again nor itself dreamed."""
    tiny.save(tmp_path / "tiny.keras")
    for name, photo in {"a": skimage.data.chelsea(), "b": skimage.data.coffee()}.items():
        Image.fromarray(photo).save(tmp_path / f"{name}.png")
    (tmp_path / "run.yaml").write_text(
        "image: {source: '*.png', max_side: 256}\nmodel: {file: tiny.keras, input_range: [-1, 1]}\n"
        "objectives: {l2: c3}\noctaves: {count: 2, steps: 40}\n"
    )
    first, second = tmp_path / "a-dream.png", tmp_path / "b-dream.png"
    killed = kerasdream_run("run", "run.yaml", cwd=tmp_path)
    wait_for(checkpoint_path(second), killed)
    killed.kill()
    killed.communicate(timeout=60)
    assert first.exists()
    assert not checkpoint_path(first).exists()
    assert not second.exists()
    written = first.stat().st_mtime_ns
    out, err = done(kerasdream_run("run", "run.yaml", "--resume", cwd=tmp_path))
    assert out == "a-dream.png\nb-dream.png\n"
    assert "a.png: already done" in err
    assert "b.png: resuming after " in err
    assert first.stat().st_mtime_ns == written
    assert sorted(path.name for path in tmp_path.glob("*.png")) == ["a-dream.png", "a.png", "b-dream.png", "b.png"]
    out, _ = done(start(sys.executable, "-c", AGAIN, cwd=tmp_path))
    *rows, end = out.splitlines()
    assert end == "0 []"  # where all is done, the network is not even loaded
    assert [(json.loads(row)["paths"], json.loads(row)["size"]) for row in rows] == [
        (["a-dream.png"], [256, 170]),
        (["b-dream.png"], [256, 171]),
    ]
    whole = second.rename(tmp_path / "whole.jpg")
    done(kerasdream_run("run", "run.yaml", "-s", "image.source=b.png", cwd=tmp_path))
    np.testing.assert_array_equal(pixels(whole), pixels(second))


@pytest.fixture
def run(tmp_path, tiny):
    """Runs one dream of three octaves of four steps in this process; returns the result, and the steps it took."""
    tiny.save(tmp_path / "tiny.keras")
    photo = Image.fromarray(skimage.data.chelsea()[:96, :128])
    photo.save(tmp_path / "cat.png")

    def call(stop=None, folder=tmp_path, **options):
        steps = []

        def on_event(event):
            if isinstance(event, Stepped):
                steps.append((event.progress.octave, event.progress.step, event.progress.run_step))
                if event.progress.run_step == stop:
                    raise KeyboardInterrupt

        keys = ("overwrite", "resume")
        data = {
            "image": str(tmp_path / "cat.png"),
            "model": {"file": str(tmp_path / "tiny.keras"), "input_range": [-1, 1]},
            "objectives": {"l2": "c3"},
            "octaves": {"count": 3, "scale": 1.4, "steps": 4},
            **{key: value for key, value in options.items() if key not in keys},
        }
        options = {key: value for key, value in options.items() if key in keys}
        return kerasdream.run(data, folder=folder, on_event=on_event, **options), steps

    return call


TANH = Parametrization(lambda picture, seed: np.arctanh(picture.clip(-0.99, 0.99)), lambda x, *shape: ops.tanh(x))


EARLY = {"octaves": {"scale": [1.3, 1.2], "steps": [4, 5, 3], "plateau": 2, "plateau_gain": 0.3}}


@pytest.mark.parametrize(
    ("stop", "options"),
    [
        (0, {}),
        (3, {}),
        (6, {}),
        (11, {}),
        (6, {"parametrization": TANH, "priors": []}),
        *((stop, EARLY) for stop in (1, 2, 6, 9)),  # two of them are where an octave is left early
    ],
)
def test_from_any_step_it_goes_on_with_the_same_bits(run, tmp_path, stop, options):
    (tmp_path / "whole").mkdir()
    whole, steps = run(folder=tmp_path / "whole", **options)
    first, before = run(stop=stop, **options)
    assert first.interrupted
    assert checkpoint_path(first.paths[0]).exists()
    second, after = run(resume=True, **options)
    assert before + after == steps
    assert len(steps) == (9 if options is EARLY else 12)
    assert not second.interrupted
    assert second.scores == whole.scores
    np.testing.assert_array_equal(second.image, whole.image)
    assert second.paths[0].read_bytes() == whole.paths[0].read_bytes()
    assert not checkpoint_path(first.paths[0]).exists()


def test_without_resume_it_begins_anew(run):
    run(stop=6)
    result, steps = run(overwrite=True)
    assert len(steps) == 12
    assert not checkpoint_path(result.paths[0]).exists()


def test_what_is_done_is_not_done_again(run, tmp_path):
    fresh, _ = run(resume=True)
    written = fresh.paths[0].stat().st_mtime_ns
    again, steps = run(resume=True)
    assert steps == []
    assert again.paths == fresh.paths
    assert again.manifest == fresh.manifest
    np.testing.assert_allclose(again.image, fresh.image, atol=0.004)
    assert fresh.paths[0].stat().st_mtime_ns == written
    with pytest.raises(OutputError, match=r"cat-dream.png exists and is another picture \(recipe.seed is 1, was 0\)"):
        run(resume=True, seed=1)
    assert len(run(resume=True, overwrite=True, seed=1)[1]) == 12
    Image.new("RGB", (8, 8)).save(fresh.paths[0])
    with pytest.raises(OutputError, match=r"cat-dream.png exists and is another picture \(it holds no recipe"):
        run(resume=True)


def test_a_model_file_that_is_missing_is_one_message(run, tmp_path):
    with pytest.raises(ModelError, match=r"the model file .*lost.keras does not exist"):
        run(resume=True, model={"file": str(tmp_path / "lost.keras"), "input_range": [-1, 1]})


def test_of_two_outputs_one_may_be_there(run, tmp_path):
    outputs = ["png", {"jpeg": {"path": "cat.jpg"}}]
    whole, _ = run(outputs=outputs)
    (tmp_path / "cat.jpg").unlink()
    result, steps = run(outputs=outputs, resume=True)
    assert len(steps) == 12
    assert [path.exists() for path in result.paths] == [True, True]
    np.testing.assert_array_equal(result.image, whole.image)


def test_the_state_of_another_run_is_refused(run, tmp_path, monkeypatch):
    run(stop=6)
    (tmp_path / "cat-dream.png").unlink()
    state = checkpoint_path(tmp_path / "cat-dream.png")
    kept = state.read_bytes()
    for words, options in {
        "recipe.octaves.steps is 5, was 4": {"octaves": {"count": 3, "scale": 1.4, "steps": 5}},
        "recipe.seed is 3, was 0": {"seed": 3},
        "recipe.objectives.0.l2.layer is c2, was c3": {"objectives": {"l2": "c2"}},
    }.items():
        with pytest.raises(OutputError, match=f"is that of another run: {words}; give what it was to go on with it"):
            run(resume=True, **options)
    Image.fromarray(skimage.data.coffee()[:96, :128]).save(tmp_path / "cat.png")
    with pytest.raises(OutputError, match=r"source.sha256 is \w+\.\.\., was"):
        run(resume=True)
    monkeypatch.setattr("kerasdream.session.session.platform.python_version", lambda: "3.99.0")
    with pytest.raises(OutputError, match=r"versions.python is 3.99.0, was 3\.\d"):
        run(resume=True)
    assert state.read_bytes() == kept


def test_a_damaged_state_is_one_message_or_nothing_lost(run, tmp_path):
    run(stop=6)
    (tmp_path / "cat-dream.png").unlink()
    state = checkpoint_path(tmp_path / "cat-dream.png")
    whole = state.read_bytes()
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        state.write_bytes(whole[:length])
        with pytest.raises(OutputError, match=r"cat-dream.png.checkpoint is damaged .*; leave --resume out, or delete"):
            run(resume=True)
    assert not (tmp_path / "cat-dream.png").exists()


@pytest.fixture
def point():
    """A point with a memory of every kind, one array in two places."""
    random = np.random.default_rng(0)
    canvas = random.normal(size=(40, 50, 3)).astype("float32")
    memory = [None, {"a": canvas, 1: (np.float32(1.5), [True, 7, 0.1, "x"])}, np.arange(3)]
    return AscentState(0, 1, canvas, canvas, memory, (0.1, 1 / 3), (0,))


@pytest.fixture
def checkpoint(tmp_path):
    plan = make_plan((40, 50), octaves=Octaves(count=1, steps=4), cutting=Cutting(Lattice(), 64), seed=0)
    return Checkpoint(tmp_path / "x.png", {"recipe": {"seed": 1, "keys": {0: 1}}}, plan)


def same(a, b):
    """Whether two trees are of the same types, with the same bits."""
    if isinstance(a, dict):
        return type(a) is type(b) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "dtype"):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(np.asarray(a), np.asarray(b))
    return type(a) is type(b) and a == b


def test_the_state_is_read_as_it_was_saved(checkpoint, point):
    import tensorflow as tf

    assert checkpoint.restore() is None
    point.memory.append(tf.constant([1.0, 2.0]))
    checkpoint.save(point)
    assert same(vars(checkpoint.restore()), vars(point))
    assert checkpoint.path.stat().st_size < 2 * point.canvas.nbytes  # once, though it stands in three places
    assert [path.name for path in checkpoint.path.parent.iterdir()] == [".x.png.checkpoint"]


@pytest.mark.parametrize("value", [{1, 2}, object(), np.array([object()]), [np.array(["text"])]])
def test_a_memory_that_cannot_be_saved_is_said(checkpoint, point, value):
    checkpoint.save(point)
    kept = checkpoint.path.read_bytes()
    point.memory.append(value)
    with pytest.raises(PluginError, match=r"remembers a value of type \S+, which cannot be saved; expected arrays"):
        checkpoint.save(point)
    assert checkpoint.path.read_bytes() == kept


def test_no_damage_goes_unnoticed(checkpoint, point):
    """One byte of the file is changed, 400 times: either that is said, or what is read is right."""
    checkpoint.save(point)
    whole, random = checkpoint.path.read_bytes(), np.random.default_rng(1)
    said = 0
    for place in [*range(60), *random.integers(0, len(whole), 240), *range(len(whole) - 100, len(whole))]:
        data = bytearray(whole)
        data[place] ^= 1 << int(random.integers(8))
        checkpoint.path.write_bytes(data)
        try:
            read = checkpoint.restore()
        except OutputError:
            said += 1
        else:
            assert same(vars(read), vars(point))
    assert said > 200


def test_it_is_saved_after_the_first_step_each_octave_and_in_between(checkpoint, point, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("kerasdream.results.checkpoint.time.monotonic", lambda: now)
    kept = []
    for passed, step in [(0, 1), (59, 2), (2, 3), (1, 4)]:
        now += passed
        checkpoint.path.unlink(missing_ok=True)
        checkpoint.keep(AscentState(0, step, point.canvas, point.canvas))
        kept.append(checkpoint.path.exists())
    assert kept == [True, False, True, True]
