"""``kerasdream tune`` and the rule it writes: measured, chosen, kept beside others, used by every run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from kerasdream import GradientStep
from kerasdream import _memory as memory
from kerasdream.builtin.objectives.l2 import l2
from kerasdream.cli.measure import Timing, bytes_per_pixel, candidates, dream_of, timings
from kerasdream.cli.plan import describe
from kerasdream.cli.tune import fastest, measured
from kerasdream.config.resolve import load
from kerasdream.errors import ConfigError, DreamError, OutputError
from kerasdream.plan import tile_size as tuning
from kerasdream.plan.tile_size import BYTES, IN_FLIGHT, LARGEST, SMALLEST, Rule, largest_side, tile_side
from kerasdream.session.session import Session

OTHER = {"vgg16": {"size": 300, "bytes": 1234}}
"""Somebody's rule for another network."""

RUN = """\
image: photo.png
model: {file: tiny.keras, input_range: [-1, 1]}
objectives: {l2: c2}
octaves: {count: 1, steps: 1}
"""


@pytest.fixture
def rules(tmp_path, monkeypatch):
    """The file of the user's own rules; call it to write one."""
    monkeypatch.setenv("KERASDREAM_CONFIG", str(tmp_path / "settings"))
    tuning.own_rules.cache_clear()

    def write(content):
        path = tuning.rules_file()
        path.parent.mkdir(exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        tuning.own_rules.cache_clear()
        return path

    yield write
    tuning.own_rules.cache_clear()


# The rule


def test_as_large_as_two_fit_into_memory(rules):
    for model, family in {"resnet101_v2": "resnet", "efficientnet_b3": "efficientnet_b", "vgg19": "vgg"}.items():
        side = tile_side(model, 500 * 2**20)
        assert IN_FLIGHT * BYTES[family] * side**2 <= 500 * 2**20 < IN_FLIGHT * BYTES[family] * (side + 1) ** 2
    assert tile_side("resnet50", 2**20) == SMALLEST
    assert tile_side("resnet50", 2**40) == LARGEST
    assert tile_side("somebodys", 10**9) == largest_side(10**9, tuning.USUAL_BYTES)
    assert tile_side("resnet50") == largest_side(min(tuning.MOST, tuning.total_memory() // 8), BYTES["resnet"])


def test_the_users_own_rule_comes_first(rules):
    rules({"resnet50": {"size": 333, "bytes": 2000}, "vgg16": {"size": 400}})
    assert tile_side("resnet50") == 333
    assert tile_side("resnet50", 10**9) == largest_side(10**9, 2000)  # memory that is asked for counts for more
    assert tile_side("vgg16") == 400
    assert tile_side("vgg16", 10**9) == largest_side(10**9, BYTES["vgg"])  # memory could not be measured
    assert tile_side("resnet101", 10**9) == largest_side(10**9, BYTES["resnet"])


def test_rules_are_kept_beside_others(rules):
    assert tuning.read_rules() == {}
    path = rules(OTHER)
    assert tile_side("tiny") == tile_side("somebodys")
    tuning.save_rules({**tuning.read_rules(), "tiny": Rule(size=256)})
    assert json.loads(path.read_text()) == {**OTHER, "tiny": {"size": 256}}
    assert [file.name for file in path.parent.iterdir()] == ["tiles.json"]
    assert tile_side("tiny") == 256  # at once


def test_rules_that_cannot_be_written(rules, tmp_path):
    (tmp_path / "settings").write_text("a file where a folder should be")
    with pytest.raises(OutputError, match=r"settings cannot be created \(.*\); name another with KERASDREAM_CONFIG"):
        tuning.save_rules({})


DAMAGED = {
    "": "Invalid JSON",
    '{"tiny": {"size": 256': "Invalid JSON",
    "[]": "Input should be an object",
    '{"tiny": 256}': "tiny: ",
    '{"tiny": {"size": "big"}}': "tiny.size: ",
    '{"tiny": {"size": 3}}': "tiny.size: Input should be greater than or equal to 32",
    '{"tiny": {"size": 256, "bytes": 0}}': "tiny.bytes: ",
    '{"tiny": {"sise": 256}}': "tiny.size: Field required",
}


@pytest.mark.parametrize("content", DAMAGED)
def test_a_damaged_file_is_one_message_and_counts_for_nothing(rules, here, content):
    path = rules(content)
    code, out, err = here("tune", "efficientnet_lite0")
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert line.startswith(f"kerasdream: {path}, which kerasdream tune wrote, is damaged (")
    assert DAMAGED[content] in line
    assert line.endswith("; delete it or put it right, and tune again")
    assert path.read_text() == content
    assert tile_side("tiny") == tile_side("somebodys")


# Plans and runs


@pytest.fixture
def run_file(folder):
    (folder / "run.yaml").write_text(RUN)
    return folder / "run.yaml"


def test_a_plan_without_tensorflow_and_a_run_use_the_same_rule(rules, run_file):
    """A network from a file is known by the file's name."""
    rules({"tiny": {"size": 40}, "file": {"size": 640}})
    config = load(run_file)
    assert Session(config).step.cutting.size == 40
    assert next(describe(config))["octaves"][0]["tiles"] > 1
    rules({"tiny": {"size": 640}, "file": {"size": 40}})
    assert Session(config).step.cutting.size == 640
    assert next(describe(config))["octaves"][0]["tiles"] == 1
    rules({"tiny": {"size": 40}})
    assert Session(load(run_file, ["tiles.size=64"])).step.cutting.size == 64
    memory_given = Session(load(run_file, ["tiles.memory=500MB"])).step.cutting.size
    assert memory_given == largest_side(500 * 2**20, tuning.USUAL_BYTES)


def test_a_plan_of_a_named_network_uses_the_rule(rules, run_file, here):
    (run_file.parent / "named.yaml").write_text("image: {source: noise, size: [512, 512]}\noctaves: {count: 1}\n")
    tiles = []
    for size in (192, 640):
        rules({"efficientnet_lite0": {"size": size}})
        tiles.append(json.loads(here("plan", run_file.parent / "named.yaml", "--json")[1])[0]["octaves"][0]["tiles"])
    assert tiles[0] > 4 * tiles[1]


def test_what_is_found_stands_in_the_recipe(rules, run_file):
    rules({"tiny": {"size": 40}})
    config = load(run_file)
    session = Session(config)
    result = session.dream(session.picture(str(run_file.parent / "photo.png")))
    assert config.tiles.size == "auto"
    assert result.manifest["recipe"]["tiles"]["size"] == 40
    assert result.notes == ()


def test_plan_and_run_note_a_damaged_file(rules, run_file, here):
    path = rules("{")
    note = f"{path}, which kerasdream tune wrote, is damaged"
    code, out, _ = here("plan", run_file)
    assert code == 0
    assert f"  note: {note}" in out
    assert "; until then the shipped sizes of tiles are used" in out
    assert "damaged" not in here("plan", run_file, "-s", "tiles.size=64")[1]
    session = Session(load(run_file))
    result = session.dream(session.picture(str(run_file.parent / "photo.png")))
    assert [text for text in result.notes if text.startswith(note)]


# The choice


def test_the_smallest_of_those_that_are_about_as_fast():
    rows = [
        Timing(256, 25, 1.3, 900.0),
        Timing(384, 12, 1.2, 611.0),
        Timing(512, 6, 1.1, 601.0),
        Timing(640, 4, 1.1, 600.0),
    ]
    assert fastest(rows).size == 384
    assert fastest(reversed(rows)).size == 384
    assert fastest(rows[:1]).size == 256
    assert fastest([*rows[:1], Timing(1024, 1, 1.1, 880.0)]).size == 1024


def test_candidates_fit_into_memory():
    assert candidates(2 * 1000 * 700**2, 1000) == [256, 384, 512, 640, 700]
    assert candidates(2 * 1000 * 512**2, 1000) == [256, 384, 512]
    assert candidates(10**12, 1000)[-1] == LARGEST
    assert candidates(1, 1000) == [SMALLEST]


def test_what_is_measured_is_the_default_dream(tmp_path, monkeypatch, tiny):
    layers = [entry.values["layer"] for entry in dream_of("inception_v3").objectives]
    assert layers == ["mixed3", "mixed5"]
    assert dream_of("inception_v3").model.values["weights"] is None
    (last,) = dream_of("resnet50").objectives  # no default: the deepest layer of stride 16
    assert last.values["layer"] == "conv4_block6_out"
    assert [entry.name for entry in dream_of("vgg16", ["block3_conv1"]).priors] == ["total_variation"]
    with pytest.raises(ConfigError, match="vgg16 has no layer 'block3_convl'; did you mean"):
        dream_of("vgg16", ["block3_convl"])
    with pytest.raises(ConfigError, match="unknown model 'vgg61'; did you mean 'vgg19' or 'vgg16'"):
        dream_of("vgg61", ["block3_conv1"])
    monkeypatch.chdir(tmp_path)
    tiny.save("tiny.keras")
    with pytest.raises(ConfigError, match=r"which layers of tiny\.keras will you dream\? .*--layers"):
        dream_of("tiny.keras")
    assert dream_of("tiny.keras", ["c2"]).model.values["file"] == tmp_path / "tiny.keras"


# The measurement


@pytest.fixture
def step(tiny):
    return GradientStep(tiny, l2(layer="c3"), input_range=(-1, 1))


def test_sizes_take_turns_and_those_that_cut_alike_are_timed_once(step, monkeypatch):
    seen, at = [], step.evaluate

    def watched(picture, plan, progress):
        seen.append(plan.cutting.size)
        return at(picture, plan, progress)

    monkeypatch.setattr(step, "evaluate", watched)
    rows = timings(step, [600, 128, 64, 620], side=200, rounds=3)
    assert [row.size for row in rows] == [64, 128, 600]
    assert seen == [64, 128, 600] * 4
    assert [row.views for row in rows] == sorted((row.views for row in rows), reverse=True)
    assert rows[-1].views == 1
    assert all(row.computed >= 1 and row.nanoseconds > 0 for row in rows)
    assert step.engine.traces == 1


def test_sizes_for_which_memory_runs_out_are_left_out(step, monkeypatch):
    computed, most = step.engine._step, 128**2

    def limited(views, *rest):
        if views.shape[1] * views.shape[2] > most:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return computed(views, *rest)

    monkeypatch.setattr(step.engine, "_step", limited)
    assert [row.size for row in timings(step, [64, 128, 600], side=200, rounds=1)] == [64, 128]
    most = 0
    with pytest.raises(DreamError, match="even for the smallest views"):
        timings(step, [64, 600], side=200, rounds=1)


def test_without_a_peak_memory_is_not_measured(step, monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")  # as on other systems
    assert bytes_per_pixel(step) is None
    monkeypatch.undo()
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "no" / "clear_refs")  # the peak cannot be reset
    assert bytes_per_pixel(step) is None


MEASURE = """\
import sys

import keras

from kerasdream import Energy, GradientStep, ops
from kerasdream.cli.measure import bytes_per_pixel
from kerasdream.builtin.objectives.l2 import l2

picture = keras.Input((None, None, 3))
model = keras.Model(picture, keras.layers.Conv2D(8, 3, strides=2, padding="same", name="c1")(picture))


def wasteful(views):
    return ops.mean(ops.square(ops.tile(views, (1, 1, 1, 17))), axis=-1)  # 51 channels, float32


priors = [Energy(wasteful, radius=0)] if "more" in sys.argv else []
print(bytes_per_pixel(GradientStep(model, l2(layer="c1"), priors, input_range=(-1, 1))))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is known on Linux alone")
def test_memory_is_that_of_one_view():
    """A part that holds on to 200 bytes more for each pixel is seen. In fresh processes, as ``tune`` measures."""
    found = [
        int(subprocess.run([sys.executable, "-c", MEASURE, *more], check=True, capture_output=True, text=True).stdout)
        for more in ([], ["more"])
    ]
    assert 10 < found[0] < 500
    assert found[1] > found[0] + 150


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="the peak of memory is known on Linux alone")
def test_the_shipped_number_is_what_is_measured():
    found = measured("efficientnet_lite0", [], [], budget=2**28, side=256, rounds=1)
    assert found.bytes == pytest.approx(BYTES["efficientnet_lite0"], rel=0.3)


# The command


def test_tune_shows_and_keeps_the_rule(rules, folder, process, here, monkeypatch):
    path = rules(OTHER)
    settings = {"KERASDREAM_CONFIG": str(path.parent), "COLUMNS": "100"}
    done = process("tune", "tiny.keras", "--layers", "c1, c2", "--memory", "300MB", cwd=folder, **settings)
    assert (done.returncode, done.stderr) == (0, "")
    assert "tiny, c1, c2" in done.stdout
    assert f"kept in {path}" in done.stdout
    kept = json.loads(path.read_text())
    assert kept["vgg16"] == OTHER["vgg16"]
    assert f"tiles of {kept['tiny']['size']} (so far: " in done.stdout
    assert f"{kept['tiny']['size']}²" in next(line for line in done.stdout.splitlines() if "best" in line)
    if sys.platform == "linux":
        assert f"{kept['tiny']['bytes']} bytes for each pixel of a view (measured)" in done.stdout
    tuning.own_rules.cache_clear()
    before = path.read_bytes()
    monkeypatch.chdir(folder)
    code, out, _ = here("tune", "tiny.keras", "--layers", "c2", "--memory", "1MB", "--dry-run")
    assert code == 0
    assert f"{SMALLEST}²" in out  # the only size that is tried
    assert f"(so far: {kept['tiny']['size']})" in out
    assert "kept in" not in out
    assert path.read_bytes() == before


@pytest.mark.skipif(sys.platform == "win32", reason="there are no process groups to send Ctrl-C to")
@pytest.mark.parametrize("seconds", [2, 5])  # TensorFlow is imported; steps are timed
def test_ctrl_c_ends_both_processes_without_a_trace(tmp_path, seconds):
    settings = {**os.environ, "KERASDREAM_CONFIG": str(tmp_path / "settings")}
    command = [sys.executable, "-m", "kerasdream", "tune"]
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(command, env=settings, start_new_session=True, text=True, **streams)
    rules = tmp_path / "settings" / "tiles.json"
    while not rules.exists() and process.poll() is None:
        time.sleep(0.05)
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=60)  # which ends when both have closed their output
    assert (process.returncode, out, err.strip()) == (130, "", "kerasdream: interrupted")
    assert json.loads(rules.read_text()) == {}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("tune --memory 2GiB", 2, "expected a memory size such as 500MB or 2GB, not 2GiB"),
        ("tune vgg61", 1, "unknown model 'vgg61'; did you mean 'vgg19' or 'vgg16'"),
        ("tune vgg16 --layers block3_convl", 1, "vgg16 has no layer 'block3_convl'; did you mean"),
        ("tune nothing.keras", 1, "which layers of nothing.keras will you dream?"),
    ],
)
def test_faults_are_found_before_anything_is_measured(rules, here, arguments, code, words):
    left, out, err = here(*arguments.split())
    assert (left, out) == (code, "")
    assert words in err.splitlines()[-1]
    assert not tuning.rules_file().exists()
