"""The commands ``run``, ``dream`` and ``validate``: output, recipes, signals."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasdream import images
from kerasdream.cli import display
from kerasdream.config.document import parse
from kerasdream.config.recipes import load_any
from kerasdream.events import Stepped

CONFIGS = Path(__file__).parents[2] / "configs"

RUN = """\
image: photo.png
model: {file: tiny.keras, input_range: [-1, 1]}
objectives: {l2: c2}
octaves: {count: 2, steps: 2}
"""


def start(*arguments, cwd, **options):
    environment = {**os.environ, "KERAS_BACKEND": "jax"}  # as ~/.keras/keras.json may set it
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # kerasdream itself must silence TensorFlow
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


def test_validate_continues_after_an_error(here, tmp_path):
    (tmp_path / "bad.yaml").write_text("seed: -1")
    fine = CONFIGS / "quickstart.yaml"
    code, out, err = here("validate", tmp_path / "bad.yaml", fine)
    assert (code, out) == (1, f"{fine}: ok\n")
    assert len(err.splitlines()) == 2  # no image, no such seed


def test_dream_rejects_an_unknown_file_type_and_an_existing_output(here, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (64, 48)).save("photo.png")
    assert here("dream", "photo.png", "-o", "new.bmp")[0] == 2
    Image.new("RGB", (64, 48)).save("photo-dream.png")
    before = Path("photo-dream.png").read_bytes()
    code, out, err = here("dream", "photo.png")
    assert (code, out) == (1, "")
    assert "photo-dream.png exists" in err
    assert Path("photo-dream.png").read_bytes() == before


def test_dream_takes_several_photos(here, tmp_path, monkeypatch, chelsea, tiny):
    """From a folder and a pattern: next to each, or into one folder; what is true of all is said once."""
    monkeypatch.chdir(tmp_path)
    for name in "one/a.png", "two/b.png", "two/c.png":
        Path(name).parent.mkdir(exist_ok=True)
        images.save(name, chelsea[:64, :96], format="png")
    tiny.save("tiny.keras")
    small = ("-s", "octaves={count: 1, steps: 1}", "-s", "image.max_side=80", "-s", "frames.zoom=2")
    small += ("-s", "model={file: tiny.keras, input_range: [-1, 1]}", "-s", "objectives={l2: c2}")
    code, out, err = here("dream", "one", "two/*.png", *small)
    assert code == 0
    assert out.splitlines() == [f"{tmp_path}/{name}-dream.png" for name in ("one/a", "two/b", "two/c")]
    notes = [line for line in err.splitlines() if line.startswith("note")]
    assert notes[0].startswith("note: -s frames.zoom=2: frames.zoom has no effect: there is a single picture")
    assert notes[1].startswith("note: 3 photos are dreamed at 80 pixels on the longer side (image.max_side)")
    assert len(notes) == 2
    code, out, _ = here("dream", "two/b.png", "two/c.png", *small, "-o", "new/folder")
    assert out.splitlines() == [f"{tmp_path}/new/folder/{name}-dream.png" for name in "bc"]
    code, _, err = here("dream", "two", "-o", "new.png")
    assert code == 2
    assert "new.png is a file, but there may be several photos; name a folder" in err
    for option, words in {
        "--size": "image.side: expected at least 16",
        "--strength": "strength: expected more than 0",
    }.items():
        code, _, err = here("dream", "one/a.png", option, "0")
        assert err.startswith(f"kerasdream: {option} 0: {words}, not 0")


@pytest.mark.parametrize(
    ("options", "first"),
    [
        ("--strength 2 -s strength=3", "--strength 2"),
        ("--size 80 -s image.side=90", "--size 80"),
        ("--size 80 -s image=b.jpg", "PHOTO a.jpg"),
        ("--preset tf-tutorial -s preset=zoom", "--preset tf-tutorial"),
        ("--layer block3_expand -s objectives={l2:block5_expand}", "--layer block3_expand"),
    ],
)
def test_what_a_command_is_given_twice_is_an_error(options, first, here):
    code, _, err = here("dream", "a.jpg", *options.split())
    assert code == 1
    override = options.rpartition("-s ")[2]
    assert f"-s {override}" in err.splitlines()[0].replace("'", "")
    assert f"is given twice: {first} sets it, too; leave one of them out" in err.splitlines()[0]


@pytest.mark.parametrize(
    ("options", "objectives"),
    [
        ([], ["l2 block3_expand"]),
        (["--preset", "tf-tutorial"], ["mean block3_expand"]),
        (["--preset", "lucid-channel"], ["channel block3_expand"]),
        (["--preset", "deepdraw"], ["l2 block3_expand"]),
        (["--layer", "block5_expand"], ["l2 block3_expand", "l2 block5_expand"]),
        (["-s", "model=inception_v3", "--layer", "mixed4"], ["l2 block3_expand", "l2 mixed4"]),
    ],
)
def test_layer_replaces_the_layers_of_the_objectives(options, objectives, here, tmp_path, monkeypatch):
    """The kind of objective stays the preset's, if it has a layer."""
    seen = []
    monkeypatch.setattr("kerasdream.config.resolve.check_layers", lambda *arguments: None)
    monkeypatch.setattr("kerasdream.cli.runs.run_all", lambda config, **options: seen.append(config))
    code, _, err = here("dream", tmp_path / "photo.jpg", "--layer", "block3_expand", *options)
    assert (code, err) == (0, "")
    assert [f"{entry.name} {entry.values['layer']}" for entry in seen[0].objectives] == objectives


def test_missing_files_are_reported_before_anything_is_computed(here, tmp_path):
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


@pytest.fixture(scope="module")
def dreams(tmp_path_factory, tiny):
    """A folder with a photo and two run files, dreamed in one process: c has another seed than a."""
    folder = tmp_path_factory.mktemp("dreams")
    photo = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    Image.fromarray(photo).save(folder / "photo.png")
    tiny.save(folder / "tiny.keras")
    for name, seed in {"a": 0, "c": 1}.items():
        outputs = f"outputs: [png: '{{stem}}-{name}-{{seed}}.png', jpeg: {name}.jpg]\n"
        (folder / f"{name}.yaml").write_text(f"{RUN}seed: {seed}\n{outputs}")
    return folder, kerasdream("run", "a.yaml", "c.yaml", cwd=folder)


@pytest.mark.parametrize(("name", "format"), [("new.webp", "WEBP"), ("new.TIF", "TIFF")])
def test_the_ending_of_the_output_is_its_format(name, format, dreams, here, tmp_path):
    folder, _ = dreams
    code, _, err = here("dream", folder / "photo.png", "--preset", folder / "a.yaml", "-o", tmp_path / name)
    assert (code, "dreamed in" in err) == (0, True)
    with Image.open(tmp_path / name) as image:
        assert (image.format, image.size) == (format, (64, 48))
    assert "source: photo.png" in here("show", tmp_path / name)[1]


def test_run_writes_its_outputs_and_prints_their_paths(dreams):
    folder, (code, out, err) = dreams
    names = ["photo-a-0.png", "a.jpg", "photo-c-1.png", "c.jpg"]
    assert code == 0
    assert out.splitlines() == names
    given = ["photo.png", "tiny.keras", "a.yaml", "c.yaml"]
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == sorted([*names, *given])
    for name in names:
        assert pixels(folder / name).shape == (48, 64, 3)
    lines = err.splitlines()
    assert lines[0] == "photo.png"
    assert lines[1].startswith("octave 1/2 (43×32)  step 2/2  score ")
    assert lines[2].startswith("octave 2/2 (64×48)  step 2/2  score ")
    assert lines[3].startswith("photo.png: dreamed in ")
    assert len(lines) == 8


def test_another_seed_gives_other_pixels(dreams):
    folder, _ = dreams
    a, c = (pixels(folder / name) for name in ("photo-a-0.png", "photo-c-1.png"))
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


def test_show_makes_a_run_file_of_the_recipe(dreams, here):
    folder, _ = dreams
    code, out, err = here("show", folder / "c.jpg", "--run-file")
    assert (code, err) == (0, "")
    (folder / "again.yaml").write_text(out)
    assert here("validate", folder / "again.yaml")[0] == 0
    assert load_any(folder / "again.yaml").data == load_any(folder / "c.jpg").data


def test_nothing_in_a_recipe_or_a_name_controls_the_terminal(tmp_path, here, monkeypatch):
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)  # as on a terminal
    picture = tmp_path / "\x1b[31m.png"
    images.save(picture, np.zeros((8, 8, 3)), recipe="recipe: {seed: 1} # \x1b[2J\x9b5m", format="png")
    for arguments in (["show"], ["validate"], ["run"], ["run", "--resume"], ["layers"]):
        code, out, err = here(*arguments, picture)
        assert (code == 0) == (arguments == ["show"])
        assert not {"\x1b", "\x9b"} & {*out, *err}
        assert "\\x1b[" in out + err


def test_recipe_makes_the_same_picture_again_in_another_process(dreams, here):
    folder, _ = dreams
    code, out, err = here("run", "photo-a-0.png", "c.jpg", "-o", "new/again", "--json", cwd=folder)
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


def test_recipe_requires_its_photo(dreams, here, tmp_path, monkeypatch):
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


def test_recipe_does_not_load_plugin_files(tmp_path, here):
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


def test_terminated_run_writes_the_picture_as_it_stands(here, tmp_path, tiny, monkeypatch):
    """SIGTERM is handled like Ctrl-C; tests/results/test_checkpoint.py interrupts a process."""

    class Stopped(display.Display):
        def __call__(self, event):
            super().__call__(event)
            if isinstance(event, Stepped) and (event.progress.octave, event.progress.step) == (1, 3):
                signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(display, "Display", Stopped)
    photo = np.random.default_rng(0).integers(100, 156, (192, 192, 3), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    tiny.save(tmp_path / "tiny.keras")
    (tmp_path / "run.yaml").write_text(RUN.replace("{count: 2, steps: 2}", "{count: 2, scale: 4, steps: 20}"))
    code, out, err = here("run", "run.yaml", "run.yaml", "-o", "out", cwd=tmp_path)
    assert code == 130
    assert "Traceback" not in err
    progress, last = err.splitlines()[-2:]
    assert progress.startswith("kerasdream: stopped; go on with: ")
    assert progress.endswith("kerasdream run --resume run.yaml run.yaml -o out")
    assert last == "kerasdream: interrupted"
    assert "photo.png: interrupted after" in err
    assert out == "out/photo-dream.png\n"
    names = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert names == [".photo-dream.png.checkpoint", "photo-dream.png"]  # the second run did not start
    dream = pixels(tmp_path / "out" / "photo-dream.png")
    assert dream.shape == (192, 192, 3)
    assert np.abs(dream - photo).mean() > 1
    assert parse(images.read_recipe(tmp_path / "out" / "photo-dream.png"), "recipe").data["interrupted"] is True


@pytest.mark.skipif(os.name == "nt", reason="there are no pseudo-terminals")
def test_terminal_shows_a_live_line_and_stdout_gets_the_paths(tmp_path, tiny):
    import pty

    photo = np.random.default_rng(0).integers(0, 256, (48, 64, 4), np.uint8)
    Image.fromarray(photo).save(tmp_path / "photo.png")
    tiny.save(tmp_path / "tiny.keras")
    terminal, end = pty.openpty()
    settings = (
        "octaves={count: 1, steps: 2}",
        "seed=5",
        "model={file: tiny.keras, input_range: [-1, 1]}",
        "objectives={l2: c2}",
    )
    options = [word for setting in settings for word in ("-s", setting)]
    process = start("dream", "photo.png", "-o", "new/dream.jpg", *options, cwd=tmp_path, stderr=end)
    os.close(end)
    seen = b""
    with contextlib.suppress(OSError):  # Linux raises it when the other end is closed
        while block := os.read(terminal, 65536):
            seen += block
    os.close(terminal)
    assert process.communicate(timeout=60)[0] == f"{tmp_path / 'new' / 'dream.jpg'}\n"
    assert process.returncode == 0
    text = seen.decode()
    assert "loading tiny" in text
    assert "octave 1/1 (64×48)  step 2/2  score " in text
    assert "photo.png: dreamed in " in text.splitlines()[-1]
    assert images.size(tmp_path / "new" / "dream.jpg") == (48, 64)
    assert "seed: 5" in images.read_recipe(tmp_path / "new" / "dream.jpg")
