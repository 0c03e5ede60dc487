"""The command line as a user meets it: help, exit codes, output, recipes, Ctrl-C. Runs are real, in processes of
their own."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasdream import images
from kerasdream.cli.main import cli
from kerasdream.config.document import parse
from kerasdream.plugins.registry import KINDS

CONFIGS = Path(__file__).parents[2] / "configs"

RUN = """\
image: photo.png
model: {file: tiny.keras, input_range: [-1, 1]}
objectives: {l2: c2}
octaves: {count: 2, steps: 2}
"""


def start(*arguments, cwd, **options):
    environment = {**os.environ, "KERAS_BACKEND": "jax"}  # as it may stand in ~/.keras/keras.json
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # what TensorFlow prints must be kept away by kerasdream itself
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    command = [sys.executable, "-m", "kerasdream", *map(str, arguments)]
    return subprocess.Popen(command, cwd=cwd, env=environment, text=True, **streams)


def kerasdream(*arguments, cwd):
    process = start(*arguments, cwd=cwd)
    out, err = process.communicate(timeout=100)
    return process.returncode, out, err


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image).astype(int)


# Without a run


DRIVER = """\
import contextlib, io, sys
from kerasdream.cli.main import main
for line in sys.stdin.read().splitlines():
    sys.argv = ["kerasdream", *line.split()]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code
    heavy = [module for module in MODULES if module in sys.modules]
    if code or heavy or not out.getvalue():
        print(line, code, heavy)
"""


@pytest.mark.parametrize(
    ("modules", "commands"),
    [
        (
            ["tensorflow", "keras"],
            "--help|run --help|validate quickstart.yaml|validate my_own_model.yaml|plan quickstart.yaml|"
            "plan inception_v3.yaml --json|plan from_noise.yaml|list|list objectives|list objectives l2|"
            "list models inception_v3|plugins|plugins --json|schema|layers efficientnet_lite0|layers inception_v3|"
            "show ../docs/gallery/coffee.jpg|classes|classes flamingo",
        ),
        (
            ["tensorflow", "keras", "scipy", "rich"],
            "--help|--version|run --help|list|list objectives|plugins",
        ),
    ],
)
def test_what_computes_nothing_imports_little(modules, commands):
    script = DRIVER.replace("MODULES", repr(modules))
    done = subprocess.run(
        [sys.executable, "-c", script],
        input=commands.replace("|", "\n"),
        cwd=CONFIGS,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", [None, *cli.commands])
def test_every_command_has_help(here, name):
    code, out, err = here(*([name] if name else []), "--help")
    assert (code, err) == (0, "")
    assert out.startswith("Usage: ")
    texts = [command.get_short_help_str(200) for command in cli.commands.values()]
    assert all(texts)
    if name is None:
        assert all(text[:30] in out for text in texts)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("runn", "No such command 'runn'"),
        ("--verbose", "No such option"),
        ("run", "Missing argument 'FILE...'"),
        ("run a.yaml --bogus", "No such option"),
        ("run a.yaml -s", "requires an argument"),
        ("run a.yaml -o FILE", "is a file"),
        ("dream", "Missing argument 'PHOTO'"),
        ("dream .", "is a directory"),
        ("dream a.png b.png", "unexpected extra argument"),
        ("dream a.png -o a.webp", "a.webp does not end in .png, .jpg or .gif"),
        ("dream a.png -o FILE", "does not end in .png, .jpg or .gif"),
        ("layers", "Missing argument 'MODEL'"),
        ("show", "Missing argument 'PICTURE'"),
    ],
)
def test_wrong_usage_is_exit_code_2(here, tmp_path, arguments, words):
    (tmp_path / "file").touch()
    code, out, err = here(*arguments.replace("FILE", str(tmp_path / "file")).split())
    assert (code, out) == (2, "")
    assert words in err.splitlines()[-1]


def test_validate_goes_on_after_a_fault(here, tmp_path):
    (tmp_path / "bad.yaml").write_text("seed: -1")
    fine = CONFIGS / "quickstart.yaml"
    code, out, err = here("validate", tmp_path / "bad.yaml", fine)
    assert (code, out) == (1, f"{fine}: ok\n")
    assert len(err.splitlines()) == 2  # no image, no such seed


def test_validate_tells_files_that_are_missing(here, tmp_path):
    (tmp_path / "mask.png").write_bytes(b"")
    (tmp_path / "run.yaml").write_text(
        "image: later.jpg\n"
        "objectives:\n"
        "  - l2: {layer: block5_expand, mask: mask.png}\n"
        "  - guide: {layer: block5_expand, image: cat.jpg}\n"
        "ascent: [normalize, {mask: {path: maks.png}}]\n"
    )
    (tmp_path / "later.jpg").write_bytes(b"")
    for command in "validate", "run":
        code, out, err = here(command, tmp_path / "run.yaml")
        assert (code, out) == (1, "")
        guide, mask = err.splitlines()
        file = f"kerasdream: {tmp_path}/run.yaml"
        assert guide.startswith(f"{file}:4:5: objectives.1.guide: cat.jpg: there is no such file")
        assert mask == f"{file}:5:22: ascent.1.mask: maks.png: there is no such file; did you mean 'mask.png'?"


def test_plan_says_what_a_run_computes(here):
    code, out, err = here("plan", CONFIGS / "from_noise.yaml", "-s", "octaves.count=2", "-s", "image.size=[96, 160]")
    assert (code, err) == (0, "")
    first, *octaves = out.splitlines()
    assert first == "noise: efficientnet_lite0, block11_expand"
    assert [line.partition(" a step")[0] for line in octaves[:2]] == [
        "  octave 1: 114×69, 30 steps, 1 tile",
        "  octave 2: 160×96, 30 steps, 1 tile",
    ]
    code, out, _ = here("plan", CONFIGS / "from_noise.yaml", "--json")
    (row,) = json.loads(out)
    assert code == 0
    assert row["octaves"][-1]["size"] == [768, 512]
    assert sum(octave["steps"] for octave in row["octaves"]) == 180


def test_list_describes_an_entry(here):
    code, out, err = here("list", "objectives", "channel")
    assert (code, err) == (0, "")
    assert out.startswith("channel: Raise the mean activation of some channels")
    for line in (
        "  layer: layer name or {network: layer name}, required",
        "      the layer the channels belong to.",
        "  channel: whole number ≥ 0 or list of whole number ≥ 0 or strongest or weakest or random, required",
        "  weight: number or a schedule, default 1.0",
    ):
        assert line in out.splitlines()
    assert re.search(r"^From plugin kerasdream \(built in\), \S+channel\.py:\d+$", out, re.MULTILINE)
    assert here("list", "objective", "channel")[1] == out  # the singular will do


def test_list_as_json(here):
    row = json.loads(here("list", "priors", "gaussian_blur", "--json")[1])
    assert (row["kind"], row["name"], row["plugin"], row["origin"]) == (
        "priors",
        "gaussian_blur",
        "kerasdream",
        "built in",
    )
    assert row["parameters"] == [
        {
            "name": "sigma",
            "type": "number ≥ 0 or a schedule",
            "required": False,
            "default": 0.5,
            "help": "standard deviation in pixels of the octave.",
        }
    ]
    rows = json.loads(here("list", "--json")[1])
    assert {row["kind"] for row in rows} == set(KINDS)
    assert row in rows
    assert json.loads(here("list", "priors", "--json")[1]) == [row for row in rows if row["kind"] == "priors"]
    for one in rows:
        assert all(parameter["help"] and parameter["type"] for parameter in one["parameters"]), one
        assert not {"object", "anything"} & {parameter["type"] for parameter in one["parameters"]}, one


def test_layers_of_a_network_and_of_a_file(here, tmp_path, tiny):
    code, out, _ = here("layers", "inception_v3")
    assert code == 0
    assert out.splitlines()[0].split() == ["layer", "channels", "stride"]
    assert ["mixed5", "768", "16"] in [line.split() for line in out.splitlines()]
    tiny.save(tmp_path / "tiny.keras")
    code, out, _ = here("layers", tmp_path / "tiny.keras")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ["c1", "b1", "r1", "c2", "r2", "c3"]


def test_the_schema_is_json(here):
    code, out, err = here("schema")
    assert (code, err) == (0, "")
    assert "objectives" in json.loads(out)["properties"]


# Runs and recipes


@pytest.fixture(scope="module")
def dreams(tmp_path_factory, tiny):
    """Three run files in one process: ``a`` and ``b`` are the same, ``c`` has another seed; beside the photo."""
    folder = tmp_path_factory.mktemp("dreams")
    photo = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(photo).save(folder / "photo.png")
    tiny.save(folder / "tiny.keras")
    for name, seed in {"a": 0, "b": 0, "c": 1}.items():
        outputs = f"outputs: [png: '{{stem}}-{name}-{{seed}}.png', jpeg: {name}.jpg]\n"
        (folder / f"{name}.yaml").write_text(f"{RUN}seed: {seed}\n{outputs}")
    return folder, kerasdream("run", "a.yaml", "b.yaml", "c.yaml", cwd=folder)


def test_a_run_writes_what_it_says(dreams):
    folder, (code, out, err) = dreams
    names = ["photo-a-0.png", "a.jpg", "photo-b-0.png", "b.jpg", "photo-c-1.png", "c.jpg"]
    assert code == 0
    assert out.splitlines() == names
    given = ["photo.png", "tiny.keras", "a.yaml", "b.yaml", "c.yaml"]
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == sorted([*names, *given])
    for name in names:
        assert pixels(folder / name).shape == (48, 64, 3)
    lines = err.splitlines()
    assert lines[0] == "photo.png"
    assert lines[1].startswith("octave 1/2 (43×32)  step 2/2  score ")
    assert lines[2].startswith("octave 2/2 (64×48)  step 2/2  score ")
    assert lines[3].startswith("photo.png: dreamed in ")
    assert len(lines) == 12


def test_the_same_seed_gives_the_same_bytes_and_another_one_another_picture(dreams):
    folder, _ = dreams
    a, b, c = (pixels(folder / name) for name in ("photo-a-0.png", "photo-b-0.png", "photo-c-1.png"))
    np.testing.assert_array_equal(a, b)
    assert np.abs(a - c).mean() > 0.1
    assert np.abs(a - pixels(folder / "photo.png")).mean() > 0.5


def test_show_prints_the_recipe(dreams, here):
    folder, _ = dreams
    code, out, err = here("show", folder / "photo-c-1.png")
    assert (code, err) == (0, "")
    manifest = parse(out, "recipe").data
    assert manifest["recipe"]["seed"] == 1
    assert manifest["recipe"]["octaves"]["steps"] == 2
    assert manifest["recipe"]["image"]["source"] == "photo.png"
    assert manifest["source"] == {"name": "photo.png", "sha256": images.read(folder / "photo.png").sha256}
    assert manifest["versions"]["python"] == ".".join(map(str, sys.version_info[:3]))
    assert str(folder) not in out
    assert "interrupted" not in manifest
    assert parse(here("show", folder / "c.jpg")[1], "recipe").data == manifest


def test_a_recipe_makes_the_same_picture_again(dreams):
    folder, _ = dreams
    code, out, err = kerasdream("run", "photo-a-0.png", "c.jpg", "-o", "new/again", "--json", cwd=folder)
    assert (code, err) == (0, "")
    for name in ("photo-a-0.png", "a.jpg", "photo-c-1.png", "c.jpg"):
        assert (folder / "new" / "again" / name).read_bytes() == (folder / name).read_bytes()
    rows = [json.loads(line) for line in out.splitlines()]
    assert [row["paths"] for row in rows] == [
        [f"new/again/{name}" for name in names] for names in (["photo-a-0.png", "a.jpg"], ["photo-c-1.png", "c.jpg"])
    ]
    for row in rows:
        assert (row["source"], row["size"], row["interrupted"]) == ("photo.png", [64, 48], False)
        assert set(row["score"]) == {"first", "last"}
        assert row["seconds"]["total"] > row["seconds"]["dream"] > 0


def test_a_recipe_needs_its_photo(dreams, here, tmp_path, monkeypatch):
    folder, _ = dreams
    for name in ("photo-a-0.png", "tiny.keras"):
        shutil.copy(folder / name, tmp_path)
    dream = tmp_path / "photo-a-0.png"
    code, _, err = here("run", dream)
    assert code == 1
    assert f"the photo 'photo.png' is not in the folder of {dream}; name it: -s image.source=PHOTO" in err
    shutil.copy(folder / "photo-c-1.png", tmp_path / "photo.png")
    code, _, err = here("run", dream)
    assert code == 1
    assert "photo.png is not the photo that photo-a-0.png was made from" in err
    monkeypatch.chdir(folder)  # what the command line names is relative to here
    assert here("validate", dream, "-s", "image.source=photo.png")[:2] == (0, f"{dream}: ok\n")
    assert here("plan", dream, "-s", "image.source=photo.png")[1].startswith(f"{folder / 'photo.png'}: ")


def test_a_recipe_loads_no_plugin_files(tmp_path, here):
    (tmp_path / "evil.py").write_text("open('pwned', 'w')")
    (tmp_path / "photo.png").write_bytes((CONFIGS / "photos" / "raccoon.jpg").read_bytes())
    recipe = {"image": {"source": "photo.png"}, "plugins": ["evil.py"]}
    manifest = {"recipe": recipe, "source": {"name": "photo.png", "sha256": images.read(tmp_path / "photo.png").sha256}}
    images.save(tmp_path / "dream.png", np.zeros((8, 8, 3)), recipe=json.dumps(manifest), format="png")
    for command in ("validate", "plan", "run"):
        code, _, err = here(command, tmp_path / "dream.png")
        assert code == 1
        assert "evil.py is a plugin, which is code that runs, so a recipe from a picture does not load it" in err
    assert not Path("pwned").exists()
    assert not (tmp_path / "pwned").exists()


# While it runs


def test_interrupted_the_last_good_picture_is_kept(tmp_path, tiny):
    photo = np.random.default_rng(0).integers(100, 156, (1024, 1024, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    tiny.save(tmp_path / "tiny.keras")
    (tmp_path / "run.yaml").write_text(RUN.replace("{count: 2, steps: 2}", "{count: 2, scale: 10, steps: 300}"))
    process = start("run", "run.yaml", "run.yaml", "-o", "out", cwd=tmp_path)
    for line in process.stderr:
        if line.startswith("octave 1/2"):
            break
    time.sleep(2)  # a few of the 300 steps of the second octave, which take a minute
    process.send_signal(signal.SIGTERM)  # which is taken as Ctrl-C is
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    again = f"{sys.executable} -m kerasdream run --resume run.yaml run.yaml -o out"
    assert err.splitlines()[-2:] == [
        f"kerasdream: progress saved; resume with: {again}",
        "kerasdream: interrupted",
    ]
    assert "photo.png: interrupted after" in err
    assert out == "out/photo-dream.png\n"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [".photo-dream.png.checkpoint", "photo-dream.png"]  # the second run never began
    dream = pixels(tmp_path / "out" / "photo-dream.png")
    assert dream.shape == (1024, 1024, 3)
    assert np.abs(dream - photo).mean() > 1
    assert parse(images.read_recipe(tmp_path / "out" / "photo-dream.png"), "recipe").data["interrupted"] is True


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_on_a_terminal_there_is_a_live_line_and_paths_go_to_standard_output(tmp_path):
    import pty

    photo = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    terminal, end = pty.openpty()
    steps = ("-s", "octaves.count=1", "-s", "octaves.steps=2", "-s", "seed=5")
    process = start("dream", "photo.png", "-o", "new/dream.jpg", *steps, cwd=tmp_path, stderr=end)
    os.close(end)
    seen = b""
    with contextlib.suppress(OSError):  # how Linux says that the other end is closed
        while block := os.read(terminal, 65536):
            seen += block
    os.close(terminal)
    assert process.communicate(timeout=60)[0] == f"{tmp_path / 'new' / 'dream.jpg'}\n"
    assert process.returncode == 0
    text = seen.decode()
    assert "loading efficientnet_lite0" in text
    assert "octave 1/1 (64×48)  step 2/2  score " in text
    assert "photo.png: dreamed in " in text.splitlines()[-1]
    assert images.size(tmp_path / "new" / "dream.jpg") == (48, 64)
    assert "seed: 5" in images.read_recipe(tmp_path / "new" / "dream.jpg")
