"""Checkpoints: a run that was killed or interrupted resumes to the same bytes; damaged and foreign ones are errors."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest
import skimage.data
from PIL import Image

from kerasdream import OutputError, PluginError, images, ops
from kerasdream.cli import display
from kerasdream.config.document import parse
from kerasdream.dreaming.loop import AscentState
from kerasdream.events import Stepped
from kerasdream.plan.plan import make_plan
from kerasdream.plan.tiling import Cutting, Lattice
from kerasdream.results.checkpoint import Checkpoint, Frame, RunState, checkpoint_path

INERTIA = '''\
from kerasdream import Rule, hookimpl


def inertia(*, decay: float = 0.8) -> Rule:
    """Add up earlier gradients, in a tree of a tensor and a number."""

    def update(gradient, memory, state):
        speed = gradient + decay * memory["speed"]
        return speed, {"speed": speed, "count": (memory["count"][0] + 1,)}

    return Rule(update, lambda state: {"speed": 0 * state, "count": (0,)})


@hookimpl
def register_ascent(register):
    register(inertia)
'''

RUN = """\
image: cat.png
model: {file: tiny.keras, input_range: [-1, 1]}
plugins: [inertia.py]
objectives: {l2: c3}
ascent: [normalize, inertia, {rate: {from: 0.01, to: 0.004, over: run}}]
octaves: {count: 3, scale: 1.3, steps: 25}
"""


def start(*arguments, cwd):
    command = [sys.executable, "-m", "kerasdream", *arguments]
    return subprocess.Popen(command, cwd=cwd, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.no_cover
@pytest.mark.skipif(os.name == "nt", reason="signals are those of POSIX")
def test_killed_and_interrupted_run_resumes_to_the_same_bytes(tmp_path, tiny, here, monkeypatch):
    """A rule with memory: killed after a step, resumed, interrupted, and resumed with the command that was printed."""

    class Killed(display.Display):
        """Keeps what is on the disk in the second step, which is what a killed process leaves."""

        def __call__(self, event):
            super().__call__(event)
            if isinstance(event, Stepped) and event.progress.run_step == 1:
                checkpoint.rename(left)
                raise KeyboardInterrupt

    Image.fromarray(skimage.data.chelsea()[:128, :160]).save(tmp_path / "cat.png")
    tiny.save(tmp_path / "tiny.keras")
    (tmp_path / "inertia.py").write_text(INERTIA)
    (tmp_path / "run.yaml").write_text(RUN)
    dream = tmp_path / "out" / "cat-dream.png"
    checkpoint = checkpoint_path(dream)
    left = tmp_path / "left"

    with monkeypatch.context() as patch:
        patch.setattr(display, "Display", Killed)
        assert here("run", "run.yaml", "-o", "out", cwd=tmp_path)[0] == 130
    dream.unlink()
    left.replace(checkpoint)

    stopped = start("run", "run.yaml", "-o", "out", "--resume", cwd=tmp_path)
    before = []
    for line in stopped.stderr:
        if line.startswith("octave 1/3"):
            stopped.send_signal(signal.SIGINT)
            break
        before.append(line)
    out, err = stopped.communicate(timeout=60)
    assert before[-1].startswith("cat.png: resuming after step ")
    assert (stopped.returncode, out) == (130, "out/cat-dream.png\n")
    assert err.splitlines()[-1] == "kerasdream: interrupted"
    assert parse(images.read_recipe(dream), "recipe").data["interrupted"] is True

    (command,) = [line.partition("go on with: ")[2] for line in err.splitlines() if "go on with: " in line]
    program, arguments = shlex.split(command)[:3], shlex.split(command)[3:]
    assert program == [sys.executable, "-m", "kerasdream"]
    code, _, err = here(*arguments, cwd=tmp_path)
    assert code == 0, err
    assert "cat.png: resuming after step " in err
    assert not checkpoint.exists()

    assert here("run", "run.yaml", "-o", "whole", cwd=tmp_path)[0] == 0
    assert dream.read_bytes() == (tmp_path / "whole" / "cat-dream.png").read_bytes()


EARLY = {"scale": [1.3, 1.2], "steps": [4, 5, 3], "plateau": 2, "plateau_gain": 0.3}
"""Octaves that are left early: after steps 2 and 6."""


@pytest.mark.no_cover
@pytest.mark.parametrize(
    ("stops", "keys"),
    [
        ((0, 3, 11), {}),
        ((6,), {"parametrization": "fourier"}),
        ((2, 6), {"octaves": EARLY}),
        ((2, 7), {"outputs": [{"png": {"alpha": "attribution"}}], "objectives": [{"l2": "c3"}, {"hold": "c2"}]}),
    ],
    ids=["pixels", "parametrized", "octaves_left_early", "attributed_and_held"],
)
def test_interrupted_run_resumes_with_the_same_bits(run, tmp_path, stops, keys):
    """Interrupted after the first step, within an octave, at the end of one, early or not, and after the last step."""
    whole, steps = run(folder=tmp_path / "whole", **keys)
    taken = []
    for stop in stops:
        result, new = run(stop=stop, resume=True, **keys)
        taken += new
        assert result.interrupted
        assert run.checkpoint.exists()
    result, new = run(resume=True, **keys)
    assert [*taken, *new] == steps
    assert len(steps) == (10 if "octaves" in keys else 12)
    assert not result.interrupted
    assert result.scores == whole.scores
    np.testing.assert_array_equal(result.image, whole.image)
    assert run.dream.read_bytes() == whole.paths[0].read_bytes()
    assert not run.checkpoint.exists()


def test_checkpoint_of_a_different_run_is_an_error_when_resuming(run, monkeypatch):
    run(stop=6)
    run.dream.unlink()
    kept = run.checkpoint.read_bytes()
    for change, keys in {
        "recipe.octaves.steps is 5, was 4": {"octaves": {"count": 3, "scale": 1.4, "steps": 5}},
        "recipe.seed is 3, was 0": {"seed": 3},
        "recipe.objectives.0.l2.layer is c2, was c3": {"objectives": {"l2": "c2"}},
    }.items():
        with pytest.raises(OutputError, match=rf"belongs to a different run \({change}\); restore those settings"):
            run(resume=True, **keys)
    Image.fromarray(skimage.data.coffee()[:96, :128]).save(run.folder / "cat.png")
    with pytest.raises(OutputError, match=r"source.sha256 is \w+\.\.\., was"):
        run(resume=True)
    monkeypatch.setattr("kerasdream.results.manifest.platform.python_version", lambda: "3.99.0")
    with pytest.raises(OutputError, match=r"versions.python is 3.99.0, was 3\.\d"):
        run(resume=True)
    assert run.checkpoint.read_bytes() == kept
    assert len(run()[1]) == 12  # without resume, the run starts over
    assert not run.checkpoint.exists()


@pytest.fixture
def state():
    """A state whose memory has a value of every kind, and the same array in three places."""
    random = np.random.default_rng(0)
    canvas = random.normal(size=(40, 50, 3)).astype("float32")
    memory = [None, {"a": canvas, 1: (np.float32(1.5), [True, 7, 0.1, "x"])}, np.arange(3)]
    frame = Frame(2, canvas[::2], None, 140, np.ones((2, 3)))
    return RunState(frame, AscentState(0, 1, canvas, canvas, memory, (0.1, 1 / 3), (0,)))


@pytest.fixture
def checkpoint(tmp_path):
    plan = make_plan((40, 50), sizes=[(40, 50)], steps=[4], cutting=Cutting(Lattice(), 64), seed=0)
    return Checkpoint(tmp_path / "x.png", {"recipe": {"seed": 1, "keys": {0: 1}}}, plan)


def same(a, b):
    """Whether two trees have the same types and the same bits."""
    if isinstance(a, (RunState, Frame, AscentState)):
        return type(a) is type(b) and same(vars(a), vars(b))
    if isinstance(a, dict):
        return type(a) is type(b) and a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    if hasattr(a, "dtype"):
        return type(a) is type(b) and a.dtype == b.dtype and np.array_equal(np.asarray(a), np.asarray(b))
    return type(a) is type(b) and a == b


def test_state_is_restored_as_it_was_saved(checkpoint, state):
    import tensorflow as tf

    assert checkpoint.restore() is None
    state.ascent.memory.append(tf.constant([1.0, 2.0]))
    checkpoint.save(state)
    assert same(checkpoint.restore(), state)
    assert checkpoint.path.stat().st_size < 2 * state.ascent.canvas.nbytes  # saved once, though it is in three places
    assert [path.name for path in checkpoint.path.parent.iterdir()] == [".x.png.checkpoint"]
    checkpoint.save(RunState(state.frame))
    assert same(checkpoint.restore(), RunState(state.frame))


def test_checkpoints_of_earlier_versions_can_be_read(checkpoint):
    """The format of the file, written out."""
    canvas = np.random.default_rng(0).normal(size=(40, 50, 3)).astype("float32")
    frame = {"number": 1, "pixels": {"array": 0}, "alpha": None, "views": None, "colors": {"array": 1}}
    point = {"octave": 0, "step": 3, "canvas": {"array": 2}, "state": {"tensor": 2}, "memory": {"list": [None]}}
    point |= {"scores": {"tuple": [0.5, 0.25]}, "dead": {"tuple": []}, "views": 100}
    state = {
        "dict": [[key, {"dict": list(map(list, tree.items()))}] for key, tree in (("frame", frame), ("point", point))]
    }
    header = json.dumps({"manifest": {"recipe": {"seed": 1, "keys": {"0": 1}}}, "state": state})
    arrays = {"0": canvas[::2], "1": np.ones((2, 3)), "2": canvas}
    with checkpoint.path.open("wb") as file:
        np.savez(file, header=np.frombuffer(header.encode(), np.uint8), **arrays)
    restored = checkpoint.restore()
    assert same(restored.frame, Frame(1, canvas[::2], None, None, np.ones((2, 3))))
    ascent = AscentState(0, 3, canvas, ops.convert_to_tensor(canvas), [None], (0.5, 0.25), (), 100)
    assert same(restored.ascent, ascent)


@pytest.mark.parametrize("value", [{1, 2}, object(), np.array([object()]), [np.array(["text"])]])
def test_memory_that_cannot_be_saved_is_an_error(checkpoint, state, value):
    checkpoint.save(state)
    kept = checkpoint.path.read_bytes()
    state.ascent.memory.append(value)
    with pytest.raises(PluginError, match=r"keeps a value of type \S+, which cannot be saved; expected arrays"):
        checkpoint.save(state)
    assert checkpoint.path.read_bytes() == kept


def test_every_damage_is_noticed(checkpoint, state):
    """Flip one bit of the file, in 400 places, or cut it: either that is an error, or the state is right."""
    checkpoint.save(state)
    whole, random = checkpoint.path.read_bytes(), np.random.default_rng(1)
    errors = 0
    for place in [*range(60), *random.integers(0, len(whole), 240), *range(len(whole) - 100, len(whole))]:
        data = bytearray(whole)
        data[place] ^= 1 << int(random.integers(8))
        checkpoint.path.write_bytes(data)
        try:
            restored = checkpoint.restore()
        except OutputError:
            errors += 1
        else:
            assert same(restored, state)
    assert errors > 200
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        checkpoint.path.write_bytes(whole[:length])
        with pytest.raises(OutputError, match=r"x\.png\.checkpoint is damaged .*; drop resume=True \(or delete"):
            checkpoint.restore()


def test_state_is_saved_after_the_first_step_each_octave_and_every_minute(checkpoint, state, monkeypatch):
    now = 1000.0
    monkeypatch.setattr("kerasdream.results.checkpoint.time.monotonic", lambda: now)
    kept = []
    for passed, step in [(0, 1), (59, 2), (2, 3), (1, 4)]:
        now += passed
        checkpoint.path.unlink(missing_ok=True)
        checkpoint.keep(state.frame, AscentState(0, step, state.ascent.canvas, state.ascent.canvas))
        kept.append(checkpoint.path.exists())
    assert kept == [True, False, True, True]
