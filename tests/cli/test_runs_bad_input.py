"""Bad input: one clear message, exit code 1, no traceback, nothing written, and no import of TensorFlow."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from kerasdream import dream, images
from kerasdream.errors import ModelError

RUN = """\
image: photo.png
objectives:
  - l2: {layer: block3_expand}
"""

LAUGHS = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 10)}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
)

RECIPE = """\
recipe: {image: {source: photo.png}, objectives: [{l2: {layer: block3_expand}}]%s}
source: {name: %s, sha256: %s}
"""

# name -> the text of NAME.yaml, and words of the message
RUN_FILES = {
    "empty": ("", ["empty.yaml: the file is empty", "expected at least image"]),
    "only_a_comment": ("# nothing\n", ["only_a_comment.yaml: the file is empty"]),
    "a_list": ("- image: photo.png\n", ["a_list.yaml:1:1: expected a mapping", "not [{image: photo.png}]"]),
    "words": ("dream, please", ["words.yaml:1:1: expected a mapping"]),
    "no_yaml": ("image: [photo.png\nseed: 3\n", ["no_yaml.yaml:2:", "invalid YAML"]),
    "tab": ("image:\n\tsource: photo.png\n", ["tab.yaml:2:1: invalid YAML", "'\\t'"]),
    "python_tag": (
        "image: !!python/object/apply:os.mkdir [pwned]\n",
        ["python_tag.yaml:1:8: image: the tag !!python/object/apply:os.mkdir is not allowed"],
    ),
    "laughs": (LAUGHS, ["laughs.yaml:", "expand to more than"]),
    "self": ("image: &a [*a]\n", ["self.yaml:1:8: nested too deeply", "at most 50 levels"]),
    "duplicate": (
        RUN + "image: other.png\n",
        ["duplicate.yaml:4:1: image: duplicate key, first at duplicate.yaml:1:1"],
    ),
    "unknown_key": (RUN + "sead: 3\n", ["unknown_key.yaml:4:1: sead: unknown key 'sead'; did you mean 'seed'?"]),
    "unknown_model": (
        "image: photo.png\nmodel: inceptoin_v3\n",
        ["unknown_model.yaml:2:1: model: unknown model 'inceptoin_v3'; did you mean 'inception_v3'"],
    ),
    "unknown_layer": (
        "image: photo.png\nobjectives:\n  - l2: {layer: blok3_expand}\n",
        ["unknown_layer.yaml:3:10: objectives.0.l2.layer:", "no layer 'blok3_expand'; did you mean 'block3_expand'"],
    ),
    "unknown_objective": (
        "image: photo.png\nobjectives:\n  - l3: {layer: block3_expand}\n",
        ["unknown_objective.yaml:3:5: objectives.0: unknown objective 'l3'", "l2"],
    ),
    "unknown_parameter": (
        "image: photo.png\nobjectives:\n  - l2: {layer: block3_expand, weigth: 2}\n",
        ["unknown_parameter.yaml:3:32: objectives.0.l2.weigth: unknown key 'weigth'; did you mean 'weight'?"],
    ),
    "parameter_missing": (
        "image: photo.png\nobjectives:\n  - channel: {layer: block3_expand}\n",
        ["parameter_missing.yaml:3:5: objectives.0.channel.channel: missing (index of the channel, from 0, or several"],
    ),
    "text_for_a_number": (
        RUN + "octaves: {steps: many}\n",
        ["text_for_a_number.yaml:4:11: octaves.steps: expected a whole number or 'auto', not many"],
    ),
    "yes_for_true": (RUN + "octaves: {detail: yes}\n", ["octaves.detail: expected true or false, not 'yes'"]),
    "truth_for_a_number": (
        RUN + "seed: true\n",
        ["truth_for_a_number.yaml:4:1: seed: expected a whole number", "not true"],
    ),
    "number_for_a_path": (
        RUN + "outputs:\n  - png: {path: 3}\n",
        ["number_for_a_path.yaml:5:11: outputs.0.png.path: expected text, not 3"],
    ),
    "union": (
        RUN + "tiles: {size: big}\n",
        ["union.yaml:4:9: tiles.size: expected a whole number or 'auto', not big"],
    ),
    "three_sides": (
        "image: {source: noise, size: [64, 64, 3]}\n",
        ["three_sides.yaml:1:24: image.size: expected at most 2 items, not [64, 64, 3]"],
    ),
    "schedule_key": (
        RUN + "ascent:\n  - rate: {from: 1, to: 2, til: 3}\n",
        ["schedule_key.yaml:5:5: ascent.0.rate.value.til: unknown key 'til'", "from, to, over"],
    ),
    "schedule_step": (
        RUN + "ascent:\n  - rate: {value: {keys: {0: 1, x: 2}}}\n",
        ["schedule_step.yaml:5:33: ascent.0.rate.value.keys.x: expected a whole number, not x"],
    ),
    "no_finite_number": (
        RUN + "ascent:\n  - rate: .inf\n",
        ["ascent.0.rate.value: expected a finite number, not .inf"],
    ),
    "no_image": ("seed: 1\n", ["no_image.yaml:1:1: image.source: missing"]),
    "no_objectives": ("image: photo.png\nobjectives: []\n", ["objectives: missing; expected a list such as"]),
    "photo_missing": ("image: foto.png\n", ["foto.png: there is no such file; did you mean 'photo.png'"]),
    "photo_cut_short": ("image: cut.jpg\n", ["cut.jpg: the file ends before its picture does: it was cut short"]),
    "photo_is_text": ("image: cut.txt\n", ["cut.txt: is not a picture that can be read, but text starting"]),
    "photo_is_empty": ("image: empty.png\n", ["empty.png: the file is empty"]),
    "photo_without_pixels": ("image: zero.ppm\n", ["zero.ppm: its header is damaged, or it is without pixels"]),
    "nothing_matches": ("image: 'holiday/*.jpg'\n", ["holiday/*.jpg has no pictures"]),
    "empty_folder": ("image: nothing\n", ["nothing has no pictures; expected files ending in .png"]),
    "no_such_folder": (RUN + "outputs:\n  - png: deep/down.png\n", ["deep", "does not exist; create it"]),
    "same_name": (
        RUN + "outputs: [png: x.png, png: {path: x.png}]\n",
        ["x.png is already an output of", "photo.png"],
    ),
    "ending": (
        RUN + "outputs: [jpeg: x.PNG]\n",
        ["ending.yaml:4:11: outputs.0.jpeg.path: expected a file name that ends in .jpg or .jpeg, not x.PNG"],
    ),
    "placeholder": (
        RUN + "outputs: [png: '{steam}.png']\n",
        ["placeholder.yaml:4:11: outputs.0.png.path:", "'{steam}.png' has {steam}; expected {stem}, {seed}, {frame}"],
    ),
    "no_name": (
        RUN + "outputs: [png: '']\n",
        [
            "no_name.yaml:4:11: outputs.0.png.path:",
            "outputs.0.png.path: expected a file name that ends in .png, not ''",
        ],
    ),
    "long_name": (RUN + f"outputs: [png: {'x' * 300}.png]\n", ["cannot be written (File name too long)"]),
    "long_name_of_its_state": (RUN + f"outputs: [png: {'x' * 250}.png]\n", ["cannot be written (File name too long)"]),
    "over_the_photo": (RUN + "outputs: [png: ../photo.png]\n", ["photo.png would overwrite its own source"]),
}

# name -> arguments of the command line, and words of the message
COMMANDS = {
    **{name: (f"run {name}.yaml -o out", words) for name, (_, words) in RUN_FILES.items()},
    "run_file_missing": ("run goood.yaml -o out", ["the run file goood.yaml does not exist; did you mean 'good.yaml'"]),
    "run_file_is_a_folder": ("run nothing", ["the run file nothing cannot be read"]),
    "run_file_is_not_text": ("run latin.yaml", ["the run file latin.yaml cannot be read", "utf-8"]),
    "folder_below_a_file": ("run good.yaml -o good.yaml/out", ["good.yaml/out cannot be created: Not a directory"]),
    "folder_in_proc": ("run good.yaml -o /proc", ["the folder /proc cannot be"]),
    "output_exists": (
        "run good.yaml -o done",
        ["done/photo-dream.png exists; add --overwrite to replace it, or -o DIR"],
    ),
    "output_is_a_folder": (
        "run good.yaml -o folders --overwrite",
        ["folders/photo-dream.png is not an ordinary file, so nothing can be written there"],
    ),
    "over_the_photo_at_all_costs": ("dream photo.png -o photo.png --overwrite", ["would overwrite its own source"]),
    "dream_missing": ("dream foto.png", ["foto.png: there is no such file; did you mean 'photo.png'"]),
    "dream_a_run_file": (
        "dream good.yaml",
        ["good.yaml: is not a picture that can be read, but text starting 'image:"],
    ),
    "recipe_of_nothing": ("run photo.png -o out", ["photo.png contains no recipe", "kerasdream dream photo.png"]),
    "show_nothing": ("show photo.png", ["photo.png contains no recipe"]),
    "show_no_picture": ("show good.yaml", ["good.yaml: is not a picture"]),
    "recipe_not_ours": ("run strange.png", ["strange.png: this kerasdream cannot read the recipe inside"]),
    "recipe_without_photo": (
        "run lost.png -o out",
        ["the photo 'lost.jpg' is not in the folder of lost.png", "-s image.source=PHOTO"],
    ),
    "recipe_of_another_photo": ("run other.png -o out", ["photo.png is not the photo that other.png was made from"]),
    "recipe_of_an_array": ("run array.png", ["array.png was dreamed from an array in Python", "-s image.source=PHOTO"]),
    "recipe_with_a_plugin": (
        "run plugged.png",
        [
            "plugged.png (its recipe):1:",
            "evil.py is a plugin, which is code that runs, so a recipe from a picture",
        ],
    ),
    "override_without_value": ("run good.yaml -s seed", ["-s seed: expected KEY=VALUE, as in -s octaves.steps=5"]),
    "override_of_nothing": (
        "run good.yaml -s objectives.4.l2.layer=x",
        ["objectives.4 does not exist"],
    ),
    "override_misspelt": (
        "run good.yaml -s octave.steps=5",
        ["-s octave.steps=5: octave: unknown key 'octave'; did you mean"],
    ),
    "override_no_yaml": ("run good.yaml -s image.source=*.jpg", ["-s image.source=*.jpg:1:", "needs quotes"]),
    "override_wrong": (
        "run good.yaml -s octaves.steps=0",
        ["-s octaves.steps=0: octaves.steps: expected at least 1 or 'auto', not 0"],
    ),
    "layers_of_nothing": (
        "layers efficientnet_lite",
        ["no layer table for 'efficientnet_lite'; did you mean 'efficientnet_lite1' or 'efficientnet_lite0'"],
    ),
    "layers_of_nothing_alike": (
        "layers nope",
        [
            "no layer table for 'nope'; available: efficientnet_lite0, efficientnet_lite1, convnext_tiny,",
            "(all networks: kerasdream list models)",
        ],
    ),
    "layers_of_no_model": ("layers my.keras", ["the model file my.keras does not exist"]),
    "list_of_nothing": ("list objectivs", ["unknown kind 'objectivs'; did you mean 'objectives'?"]),
    "list_nothing": ("list objectives l3", ["unknown objective 'l3'"]),
    "plan_of_a_missing_photo": ("plan photo_missing.yaml", ["foto.png: there is no such file"]),
}

DRIVER = """\
import contextlib, io, json, os, sys
from kerasdream.cli.main import main

def files():
    return sorted(os.path.join(folder, name) for folder, _, names in os.walk(".") for name in names)

before, results = files(), {}
for name, line in json.loads(sys.stdin.read()).items():
    sys.argv, code = ["kerasdream", *line.split()], None
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code
    heavy = [module for module in ("tensorflow", "keras") if module in sys.modules]
    new = sorted(set(files()) - set(before))
    results[name] = {"code": code, "out": out.getvalue(), "err": err.getvalue(), "heavy": heavy, "new": new}
print(json.dumps(results))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Run files and pictures, most of them bad."""
    folder = tmp_path_factory.mktemp("bad")
    for name, (text, _) in RUN_FILES.items():
        (folder / f"{name}.yaml").write_text(text)
    (folder / "good.yaml").write_text(RUN)
    (folder / "latin.yaml").write_bytes("image: Köln.jpg".encode("latin-1"))
    for name in ("nothing", "done", "out"):
        (folder / name).mkdir()
    (folder / "folders" / "photo-dream.png").mkdir(parents=True)
    (folder / "done" / "photo-dream.png").write_text("a dream of last year")
    photo = Image.fromarray(np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8))
    photo.save(folder / "photo.png")
    photo.save(folder / "whole.jpg")
    (folder / "cut.jpg").write_bytes((folder / "whole.jpg").read_bytes()[:700])
    (folder / "cut.txt").write_text("no picture at all")
    (folder / "empty.png").touch()
    (folder / "zero.ppm").write_bytes(b"P6 0 0 255\n")
    (folder / "evil.py").write_text("open('pwned', 'w')")
    for name, recipe in {
        "strange": "sead: 3",
        "lost": RECIPE % ("", "lost.jpg", "0" * 64),
        "other": RECIPE % ("", "photo.png", "0" * 64),
        "array": "recipe: {image: picture}\nsource: {name: picture}",
        "plugged": RECIPE % (", plugins: [evil.py]", "photo.png", images.read(folder / "photo.png").sha256),
    }.items():
        images.save(folder / f"{name}.png", np.zeros((48, 64, 3)), recipe=recipe, format="png")
    return folder


@pytest.fixture(scope="module")
def results(folder):
    """Run every command of ``COMMANDS`` in one fresh process, where imports can be checked; what each did."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps({name: line for name, (line, _) in COMMANDS.items()}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", COMMANDS)
def test_bad_input_gives_one_message_and_writes_nothing(results, name):
    result = results[name]
    assert result["code"] == 1, result
    assert result["out"] == ""
    lines = result["err"].splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("kerasdream: ")
    assert "Traceback" not in lines[0]
    for words in COMMANDS[name][1]:
        assert words in lines[0]
    assert result["new"] == []


def test_bad_input_is_found_without_tensorflow(results):
    assert {name: result["heavy"] for name, result in results.items() if result["heavy"]} == {}


def test_existing_output_is_not_overwritten(folder, results):
    assert results["output_exists"]["code"] == 1
    assert (folder / "done" / "photo-dream.png").read_text() == "a dream of last year"


def test_errors_are_listed_in_the_order_of_the_file(here, tmp_path):
    (tmp_path / "f.yaml").write_text("image: 3\nseed: x\nsead: 1\noctaves: {steps: 0}\n")
    code, _, err = here("validate", "f.yaml", cwd=tmp_path)
    assert code == 1
    lines = err.splitlines()
    assert [line.split(":")[:3] for line in lines] == [["kerasdream", " f.yaml", str(n)] for n in (1, 2, 3, 4)]


KINDS = ("clear", "colour", "deep", "grey", "moving", "palette", "print", "turned")


def save_pictures(folder):
    """Save a picture of each of KINDS, and some that cannot be dreamed."""
    folder.mkdir()
    colours = np.random.default_rng(1).integers(0, 256, (40, 56, 3), np.uint8)
    photo = Image.fromarray(colours)
    photo.save(folder / "colour.png")
    photo.convert("L").save(folder / "grey.png")
    photo.quantize(16).save(folder / "palette.png")
    photo.convert("CMYK").save(folder / "print.jpg")
    opacity = np.tile(np.linspace(0, 255, 56, dtype=np.uint8), (40, 1))
    Image.fromarray(np.dstack([colours, opacity])).save(folder / "clear.png")
    Image.fromarray(colours[..., 0].astype(np.uint16) * 257).save(folder / "deep.png")
    exif = Image.Exif()
    exif[0x0112] = 6  # a quarter turn to the right
    photo.save(folder / "turned.jpg", exif=exif)
    photo.save(folder / "moving.gif", save_all=True, append_images=[photo.rotate(180)])
    (folder / "broken.jpg").write_bytes((folder / "turned.jpg").read_bytes()[:700])
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGB", (200, 20)).save(folder / "strip.png")
    photo.save(folder / "colour.bmp")  # Its output has the same name as colour.png's.
    (folder / "notes.txt").write_text("not a picture, by its name")


def test_pictures_of_every_kind_are_dreamed_and_bad_ones_skipped(here, tmp_path, tiny):
    save_pictures(tmp_path / "photos")
    tiny.save(tmp_path / "tiny.keras")
    (tmp_path / "gallery.yaml").write_text(
        "image: photos\nmodel: {file: tiny.keras, input_range: [-1, 1]}\nobjectives: {l2: c2}\n"
        "octaves: {count: 1, steps: 1}\noutputs: [png: '{stem}.png']\n"
    )
    (tmp_path / "lost_model.yaml").write_text(
        "image: photos/grey.png\nmodel: {file: lost.keras, input_range: [0, 1]}\nobjectives: {l2: c2}\n"
    )
    code, out, err = here("run", "gallery.yaml", "lost_model.yaml", "-o", "out", cwd=tmp_path)
    assert code == 1
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [f"{kind}.png" for kind in KINDS]
    assert sorted(out.splitlines()) == [os.path.join("out", f"{kind}.png") for kind in KINDS]
    errors = [line for line in err.splitlines() if line.startswith("kerasdream: ")]
    expected = [
        "photos/broken.jpg: the file ends before its picture does",
        "out/colour.png is already an output of photos/colour.bmp",
        "dot.png: the picture is 1×1 pixels; expected at least 32 on its shorter side",
        "strip.png: the picture is 200×20 pixels; expected at least 32 on its shorter side",
        "lost.keras does not exist",
    ]
    assert len(errors) == len(expected), errors
    for error, words in zip(errors, expected, strict=True):
        assert words in error
    assert "Traceback" not in err
    assert "note: animated: only the first of 2 frames is used" in err
    for kind in KINDS:
        (source,) = (path for path in (tmp_path / "photos").glob(f"{kind}.*") if path.name != "colour.png")
        check_dream(kind, images.read(source), tmp_path / "out" / f"{kind}.png")


def check_dream(kind, source, path):
    """Check that a dream of one step differs from its source, but not by much."""
    with Image.open(path) as dreamed:
        assert dreamed.size == ((40, 56) if kind == "turned" else (56, 40))
        assert dreamed.mode == ("RGBA" if kind == "clear" else "RGB")
        pixels = np.asarray(dreamed, float)
    change = np.abs(pixels[..., :3] - (source.pixels + 1) * 127.5).mean()
    assert 0.5 < change < 10, kind
    if kind == "clear":
        np.testing.assert_array_equal(pixels[..., 3], np.rint(source.alpha * 255))


def test_channel_beyond_the_layer(tiny, chelsea):
    with pytest.raises(ModelError) as caught:
        dream(
            chelsea[:40, :56],
            model=tiny,
            input_range=(-1, 1),
            objectives={"channel": {"layer": "c2", "channel": 9}},
            octaves={"count": 1, "steps": 1},
        )
    where = "kerasdream.dream(): objectives.0.channel"
    assert str(caught.value) == f"{where}: the layer 'c2' has 8 channels; expected 0 to 7, not 9"
