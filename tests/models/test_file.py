"""The model entry ``file``: from a run file to a network."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream import images, load_config
from kerasdream.api import build_network
from kerasdream.config.recipes import load_any
from kerasdream.config.recorded import checksum
from kerasdream.errors import ConfigError, ModelError

RUN = {"image": "noise", "outputs": []}


@pytest.fixture
def digits(tmp_path, monkeypatch):
    """A file of the commonest own network, in the working directory: c1, pool, c2, flat, answer."""
    monkeypatch.chdir(tmp_path)
    layers = keras.layers
    keras.Sequential(
        [
            keras.Input((32, 32, 3)),
            layers.Conv2D(8, 3, activation="relu", name="c1"),
            layers.MaxPooling2D(name="p1"),
            layers.Conv2D(8, 3, activation="relu", name="c2"),
            layers.Flatten(name="flat"),
            layers.Dense(5, name="answer"),
        ]
    ).save("digits.keras")
    return tmp_path / "digits.keras"


@pytest.mark.parametrize("model", ["saved", {"name": "saved"}])
def test_a_folder_or_file_in_place_of_a_name_is_told_what_it_is(tmp_path, monkeypatch, model):
    """In a run file it is looked for next to that, as an override in the working directory."""
    (tmp_path / "runs" / "saved").mkdir(parents=True)
    (tmp_path / "runs" / "saved" / "saved_model.pb").touch()
    (tmp_path / "net.py").touch()
    run = tmp_path / "runs" / "run.yaml"
    run.write_text(json.dumps({"image": "noise", "model": model}))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=r"run\.yaml:1:20: model: .*saved is a SavedModel folder"):
        load_config(run)
    with pytest.raises(ConfigError, match=r"'model=net\.py': model: net\.py is Python code"):
        load_config(run, ["model=net.py"])
    with pytest.raises(ConfigError, match="unknown model 'runs2'"):
        load_config(run, ["model=runs2"])


@pytest.mark.parametrize("model", ["digits.keras", {"name": "digits.keras"}, {"file": "digits.keras"}])
def test_without_objectives_a_late_layer_of_the_file_is_taken_and_said(digits, model):
    entry = {"name": model} if isinstance(model, str) else model
    config = load_config({**RUN, "model": {**entry, "input_range": [0, 1]}})
    assert [entry.values["layer"] for entry in config.objectives] == ["c2"]
    assert config.notes[0].startswith("no objectives are given, so it amplifies c2 of digits.keras")


def test_preprocess_is_applied_and_stands_in_the_recipe(digits):
    how = {"mean": [0.5, 0.5, 0.5], "std": [0.25, 0.25, 0.25]}
    config = load_config({**RUN, "model": {"file": "digits.keras", "preprocess": how}})
    white = build_network(config).preprocess(np.ones((1, 2, 2, 3), "float32"))
    np.testing.assert_allclose(white, 2)
    assert config.data["model"]["preprocess"] == {**how, "order": "rgb", "scale": 1}
    assert "trust" not in config.data["model"]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("digits.keras", "which pixel values was digits.keras trained on"),
        ({"file": "digits.keras", "input_range": [0, 1], "preprocess": "tf"}, "input_range and preprocess both"),
        ({"file": "digits.keras", "preprocess": "vgg"}, "expected 'caffe', 'torch' or 'tf'"),
        ("digit.keras", "digit.keras does not exist; did you mean 'digits.keras'?"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_loaded(digits, model, message):
    with pytest.raises(ConfigError) as error:
        load_config({**RUN, "model": model})
    assert message in str(error.value)


def test_a_file_can_be_typed_without_its_key(digits, tmp_path, monkeypatch):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "run.yaml").write_text("image: noise")
    typed = "model=digits.keras", "model.input_range=[0, 1]"
    assert load_config("runs/run.yaml", typed).model.values["file"] == digits
    typed = "model.file=digits.keras", "model.preprocess=tf"
    assert load_config("runs/run.yaml", typed).model.values["file"] == digits


def test_code_is_run_from_the_run_files_folder_only(digits, tmp_path):
    runs = tmp_path / "runs"
    runs.mkdir()
    (tmp_path / "mine.py").write_text("")
    run = runs / "run.yaml"
    run.write_text("image: noise\nmodel: {file: ../digits.keras, input_range: [0, 1], code: ../mine.py}\n")
    with pytest.raises(ConfigError, match=r"run\.yaml:2:\d+: model\.code: mine\.py is outside the run file's folder"):
        load_config(run)
    assert load_config(run, trust=True).model.values["code"].samefile(tmp_path / "mine.py")
    assert load_config(run, ["model.code=mine.py"]).model.values["code"] == tmp_path / "mine.py"
    (runs / "mine.py").write_text("")
    run.write_text(run.read_text().replace("../mine.py", "mine.py"))
    assert load_config(run).data["model"]["code"] == "mine.py"


def test_a_recipe_runs_no_code(digits, tmp_path):
    """Not even next to the picture, unchanged, or with an override of something else; only when that is trusted."""
    code = tmp_path / "mine.py"
    code.write_text("open('ran', 'w')\n")
    model = {"file": "digits.keras", "input_range": [0, 1], "code": "mine.py"}
    facts = {"recipe": {"image": "noise", "model": model}, "source": {"name": "noise"}}
    files = {file.name: checksum(file) for file in (digits, code)}
    images.save("dream.png", np.zeros((8, 8, 3)), recipe=json.dumps({**facts, "files": files}), format="png")
    for override in [], ["model.input_range=[-1, 1]"]:
        with pytest.raises(
            ConfigError, match=r"model\.code: mine\.py is code that runs, so a recipe from a picture does"
        ):
            load_any(Path("dream.png"), override)
    assert not Path("ran").exists()
    build_network(load_any(Path("dream.png"), trust=True))
    assert Path("ran").exists()


def test_trust_reaches_the_code_in_a_file(digits):
    layers = keras.layers
    doubled = layers.Lambda(lambda value: 2 * value)
    keras.Sequential([keras.Input((8, 8, 3)), doubled, layers.Conv2D(2, 3, name="c1")]).save("lambda.keras")
    run = {**RUN, "model": {"file": "lambda.keras", "input_range": [0, 1]}}
    with pytest.raises(ModelError, match="use --trust"):
        build_network(load_config(run))
    assert build_network(load_config(run, trust=True)).model.layers[-1].name == "c1"
    options = {"model": run["model"], "objectives": {"l2": "c1"}, "octaves": {"count": 1, "steps": 1}}
    with pytest.raises(ModelError, match="trust=True"):
        kerasdream.dream("noise", **options, side=64)
    assert kerasdream.dream("noise", **options, side=64, trust=True).scores
