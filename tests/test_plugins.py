"""The plugin contract as an author meets it: a file beside the YAML, an installed distribution, and broken ones."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasdream import run
from kerasdream.cli import main
from kerasdream.config import load
from kerasdream.errors import KerasdreamError
from kerasdream.images import read_recipe
from kerasdream.schedules import Ramp
from kerasdream.source import parse

CONTRAST = '''\
from kerasdream import LayerName, Objective, hookimpl, ops

def contrast(*, layer: LayerName, gain: float = 1.0) -> Objective:
    """Raises the spread of a layer's activations."""
    return Objective(layer, lambda activations: gain * ops.std(activations[layer], axis=-1))

@hookimpl
def register_objectives(register):
    register(contrast)
'''

RUN = """\
plugins: [./my_objective.py]
image: photo.png
model: {file: tiny.keras, input_range: [-1, 1]}
objectives:
  - contrast: {layer: c2, gain: {from: 0.5, to: 2}}
octaves: {count: 1, steps: 2}
"""


def kerasdream(*arguments, cwd, path=None):
    environment = dict(os.environ)
    if path:
        environment["PYTHONPATH"] = os.pathsep.join([str(path), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    environment.pop("TF_CPP_MIN_LOG_LEVEL", None)  # what TensorFlow prints must be kept away by kerasdream itself
    command = [sys.executable, "-m", "kerasdream", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, timeout=100)


@pytest.fixture
def here(monkeypatch, capsys):
    """The command line in this process, for commands that compute nothing: returns exit code, output, errors."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["kerasdream", *map(str, arguments)])
        with pytest.raises(SystemExit) as leaving:
            main()
        return leaving.value.code, *capsys.readouterr()

    return call


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tiny):
    """A photo, a small network, a plugin file and a run file that uses it."""
    folder = tmp_path_factory.mktemp("plugins")
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (40, 56, 3), np.uint8)).save(folder / "photo.png")
    tiny.save(folder / "tiny.keras")
    (folder / "my_objective.py").write_text(CONTRAST)
    (folder / "run.yaml").write_text(RUN)
    return folder


# A plugin file


def test_a_plugin_file_dreams(folder):
    done = kerasdream("run", "run.yaml", "-o", "out", "-q", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in (folder / "out").iterdir()] == ["photo-dream.png"]
    recipe = parse(read_recipe(folder / "out" / "photo-dream.png"), "recipe").data["recipe"]
    gain = {"from": 0.5, "to": 2.0, "over": "steps"}
    assert recipe["objectives"] == [{"contrast": {"layer": "c2", "gain": gain, "weight": 1.0}}]


def test_a_float_of_a_plugin_takes_a_schedule(folder):
    (entry,) = load(folder / "run.yaml").objectives
    assert (entry.name, entry.plugin) == ("contrast", "my_objective")
    assert entry.values["gain"] == Ramp(**{"from": 0.5, "to": 2.0})
    assert entry.make().layers == ("c2",)


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("gain:", "gian:", "f.yaml:5:27: objectives.0.contrast.gian: unknown key 'gian'; did you mean 'gain'?"),
        ("0.5", "low", "f.yaml:5:34: objectives.0.contrast.gain.from: expected a valid number, not low"),
        (
            "- contrast",
            "- contrasts",
            "f.yaml:5:5: objectives.0: unknown objective 'contrasts'; did you mean 'contrast'?",
        ),
        ("layer: c2, ", "", "f.yaml:5:5: objectives.0.contrast.layer: missing"),
        (
            "layer: c2",
            "layer: cc2",
            "f.yaml:5:16: objectives.0.contrast.layer: file has no layer 'cc2'; did you mean 'c2'",
        ),
    ],
)
def test_faults_in_its_parameters_have_a_place(folder, here, monkeypatch, old, new, fault):
    monkeypatch.chdir(folder)
    Path("f.yaml").write_text(RUN.replace(old, new))
    code, out, err = here("validate", "f.yaml")
    assert (code, out) == (1, "")
    assert err.startswith(f"kerasdream: {fault}")
    assert len(err.splitlines()) == 1


IMPORTS = "from kerasdream import LayerName, Objective, hookimpl, ops\n"
REGISTER = "\n\n@hookimpl\ndef register_objectives(register):\n    register(broken)\n"
FINE = "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a[layer][..., 0])\n"

# name -> the plugin file, and words of the message
BROKEN_FILES = {
    "import_error": (
        "\nimport no_such_module\n",
        ["failed to load at", "plug.py:2: ModuleNotFoundError: No module named"],
    ),
    "syntax": ("def broken(:\n", ["SyntaxError", "plug.py, line 1"]),
    "stops_python": ("import sys\nsys.exit(0)\n", ["failed to load at", "plug.py:2: SystemExit"]),
    "raises_in_hook": (
        IMPORTS + "@hookimpl\ndef register_objectives(register):\n    raise RuntimeError('moon')\n",
        ["plug.py:4: RuntimeError: moon"],
    ),
    "hook_misspelt": (
        IMPORTS + FINE + REGISTER.replace("register_objectives", "register_objective"),
        ["unknown hook 'register_objective'; did you mean 'register_objectives'"],
    ),
    "hook_signature": (
        IMPORTS + FINE + REGISTER.replace("(register)", "(add)", 1),
        ["register_objectives(add)", "{'add'}"],
    ),
    "hook_not_marked": (IMPORTS + FINE + REGISTER.replace("@hookimpl", ""), ["has no hooks; put @kerasdream.hookimpl"]),
    "name_taken": (
        IMPORTS + FINE + REGISTER.replace("(broken)", "(broken, name='l2')"),
        ["objective 'l2' of plugin 'plug' is already registered by plugin 'kerasdream'", "name="],
    ),
    "positional": (IMPORTS + FINE.replace("*, ", "") + REGISTER, ["'layer' of 'broken' must be keyword-only"]),
    "parameter_without_annotation": (
        IMPORTS + FINE.replace(": LayerName", "") + REGISTER,
        ["'layer' of 'broken' must be keyword-only and annotated"],
    ),
    "result_without_annotation": (
        IMPORTS + FINE.replace(" -> Objective", "") + REGISTER,
        ["'broken' must be annotated with what it makes", "-> Objective"],
    ),
    "annotation_unknown": (
        "from __future__ import annotations\n" + IMPORTS + FINE.replace("LayerName)", "LayrName)") + REGISTER,
        ["'broken' has a signature that cannot stand in a run file", "LayrName"],
    ),
    "annotation_no_yaml": (
        IMPORTS + "import socket\n" + FINE.replace("*, ", "*, by: socket.socket, ") + REGISTER,
        ["'broken' has a signature that cannot stand in a run file", "socket"],
    ),
}


@pytest.mark.parametrize("name", BROKEN_FILES)
def test_a_broken_plugin_file_is_one_fault_that_names_it(tmp_path, here, monkeypatch, name):
    text, words = BROKEN_FILES[name]
    monkeypatch.chdir(tmp_path)
    Path("plug.py").write_text(text)
    Path("run.yaml").write_text("image: a.png\nplugins: [plug.py]\nobjectives:\n  - broken: {layer: block3_expand}\n")
    code, out, err = here("validate", "run.yaml")
    assert (code, out) == (1, "")
    (fault,) = err.splitlines()  # that the objective is unknown follows from it, and is not told
    assert fault.startswith("kerasdream: run.yaml:2:1: plugins: ")
    assert "'plug'" in fault
    for part in words:
        assert part in fault


def test_faults_beside_a_broken_plugin_are_told_too(tmp_path, here):
    (tmp_path / "plug.py").write_text("import no_such_module")
    (tmp_path / "run.yaml").write_text("image: a.png\nplugins: [plug.py]\nobjectives: [broken]\nseed: -1\n")
    code, _, err = here("validate", tmp_path / "run.yaml")
    assert code == 1
    assert [re.sub(r".*yaml:(\d+).*", r"\1", line) for line in err.splitlines()] == ["2", "4"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("[lost.py]", ["lost.py does not exist"]),
        ("[photo.png]", ["photo.png does not exist or is not a Python file"]),
        ("my_objective.py", ["expected a list of Python files, not my_objective.py"]),
        ("[../elsewhere.py]", ["../elsewhere.py is outside the run file's folder"]),
        ("[my_objective.py, copy/my_objective.py]", ["two plugins are called 'my_objective'"]),
        ("[kerasdream.py]", ["two plugins are called 'kerasdream': built in and file"]),
    ],
)
def test_plugin_files_that_are_refused(folder, here, monkeypatch, files, words):
    monkeypatch.chdir(folder)
    Path("copy").mkdir(exist_ok=True)
    for path in ("copy/my_objective.py", "kerasdream.py", "../elsewhere.py"):
        Path(path).write_text(CONTRAST)
    Path("f.yaml").write_text(RUN.replace("[./my_objective.py]", files))
    code, out, err = here("validate", "f.yaml")
    Path("kerasdream.py").unlink()
    assert (code, out) == (1, "")
    (fault,) = err.splitlines()
    assert fault.startswith("kerasdream: f.yaml:1:")
    for part in words:
        assert part in fault


def test_a_plugin_file_named_twice_is_loaded_once(folder, here):
    (folder / "f.yaml").write_text(RUN.replace("[./my_objective.py]", "[my_objective.py, ./my_objective.py]"))
    assert here("validate", folder / "f.yaml")[0] == 0


# Plugins that break while they run

PLUGIN = """\
from kerasdream import (
    Energy, LayerName, Objective, Output, Parametrization, Postprocess, Projection, Rule, Transform, hookimpl, ops
)

{body}

@hookimpl
def register_{kind}(register):
    register({name})
"""

# name -> kind, body of the plugin, words of the message
FAILING = {
    "factory_raises": (
        "objectives",
        "def factory_raises(*, layer: LayerName) -> Objective:\n    1 / 0",
        ["ZeroDivisionError"],
    ),
    "makes_nothing": ("objectives", "def makes_nothing(*, layer: LayerName) -> Objective:\n    pass", ["Objective"]),
    "density_raises": (
        "objectives",
        "def density_raises(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a['lost'])",
        ["KeyError: 'lost'"],
    ),
    "density_shape": (
        "objectives",
        "def density_shape(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a[layer])",
        ["shape (None, None, None, 8)", "expected (n, h, w) or (n,)"],
    ),
    "density_nan": (
        "objectives",
        "def density_nan(*, layer: LayerName) -> Objective:\n"
        "    return Objective(layer, lambda a: ops.log(-1 - a[layer][..., 0] ** 2))",
        ["not finite", "density_nan c2 = nan"],
    ),
    "layer_missing": (
        "objectives",
        "def layer_missing(*, layer: str) -> Objective:\n    return Objective('lost', lambda a: a['lost'][..., 0])",
        ["has no layer 'lost'"],
    ),
    "energy_raises": (
        "priors",
        "def energy_raises() -> Energy:\n    return Energy(lambda picture: picture.lost, radius=0)",
        ["AttributeError"],
    ),
    "projection_raises": (
        "priors",
        "def projection_raises() -> Projection:\n    return Projection(lambda picture: picture / None)",
        ["TypeError"],
    ),
    "transform_raises": (
        "transforms",
        "def transform_raises() -> Transform:\n    return Transform(lambda views, seed: views.lost)",
        ["AttributeError"],
    ),
    "rule_raises": (
        "ascent",
        "def rule_raises() -> Rule:\n    return Rule(lambda gradient, memory, state: memory[3])",
        ["TypeError"],
    ),
    "init_raises": (
        "parametrizations",
        "def init_raises() -> Parametrization:\n    return Parametrization(lambda picture, seed: picture.lost)",
        ["AttributeError"],
    ),
    "postprocess_raises": (
        "postprocess",
        "def postprocess_raises() -> Postprocess:\n    return Postprocess(lambda picture, source: picture.lost)",
        ["AttributeError"],
    ),
    "output_raises": (
        "outputs",
        "def output_raises(*, path: str) -> Output:\n    return Output(path, lambda path: path.lost)",
        ["AttributeError"],
    ),
}


def run_of(folder, name, kind, body):
    """Writes a plugin file of one entry, and a run file that uses it; returns the latter."""
    (folder / f"{name}.py").write_text(PLUGIN.format(kind=kind, body=body, name=name))
    parameters = {"objectives": "{layer: c2}", "outputs": "{path: out.x}"}.get(kind, "{}")
    key, value = kind, f"[{name}: {parameters}]"
    if kind == "parametrizations":
        key, value = "parametrization", name
    run = {"plugins": f"[{name}.py]", "objectives": "[l2: c2]", key: value}
    path = folder / f"{name}.yaml"
    plain = [line for line in RUN.splitlines() if line.startswith(("image", "model", "octaves"))]
    path.write_text("\n".join([*plain, *(f"{key}: {value}" for key, value in run.items())]))
    return path


@pytest.mark.parametrize("name", FAILING)
def test_what_fails_in_a_run_is_one_fault_that_names_the_plugin(folder, tmp_path, name):
    kind, body, words = FAILING[name]
    with pytest.raises(KerasdreamError) as caught:
        run(run_of(folder, name, kind, body), folder=tmp_path)
    (fault,) = str(caught.value).splitlines()
    if name != "layer_missing":
        assert name in fault
    for part in words:
        assert part in fault
    left = [".photo-dream.png.checkpoint"] if name == "postprocess_raises" else []  # the dream itself was done
    assert [path.name for path in tmp_path.iterdir()] == left


def test_interrupted_before_the_first_step_nothing_is_kept(folder, tmp_path):
    body = (
        "def interrupted(*, layer: LayerName) -> Objective:\n"
        "    def density(activations):\n        raise KeyboardInterrupt\n"
        "    return Objective(layer, density)"
    )
    with pytest.raises(KeyboardInterrupt):
        run(run_of(folder, "interrupted", "objectives", body), folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


# Installed distributions

DISTRIBUTIONS = {
    # name -> entry point, module
    "kd_greeting": (
        "greeting",
        """\
import click
from kerasdream import LayerName, Objective, hookimpl

def brightness(*, layer: LayerName) -> Objective:
    \"\"\"Raises the first channel.\"\"\"
    return Objective(layer, lambda a: a[layer][..., 0])

@hookimpl
def register_objectives(register):
    register(brightness)

@hookimpl
def register_commands(cli):
    @cli.command()
    def hello():
        \"\"\"Says hello.\"\"\"
        click.echo("hello")

    @cli.command()
    def crash():
        raise ZeroDivisionError("one\\ntwo")

    @cli.command()
    @click.pass_context
    def leave(context):
        context.exit(7)
""",
    ),
    "kd_import": ("importing", "import no_such_module\n"),
    "kd_stop": ("stopping", "raise SystemExit(5)\n"),
    "kd_command": (
        "commanding",
        "from kerasdream import hookimpl\n@hookimpl\ndef register_commands(cli):\n"
        "    @cli.command()\n    def half():\n        pass\n    raise RuntimeError('no commands')\n",
    ),
    "kd_usurper": (
        "usurping",
        "from kerasdream import hookimpl\n@hookimpl\ndef register_commands(cli):\n"
        "    @cli.command()\n    def run():\n        print('mine')\n",
    ),
    "kd_twin": ("kerasdream", "from kerasdream import hookimpl\n@hookimpl\ndef register_models(register):\n    pass\n"),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder of installed distributions, most of them broken."""
    site = tmp_path_factory.mktemp("site")
    for name, (entry, text) in DISTRIBUTIONS.items():
        (site / f"{name}.py").write_text(text)
        info = site / f"{name}-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
        (info / "entry_points.txt").write_text(f"[kerasdream]\n{entry} = {name}\n")
    return site


def test_broken_distributions_are_listed_with_their_cause(site):
    done = kerasdream("plugins", "--json", cwd=site, path=site)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {row["origin"]: row for row in json.loads(done.stdout)}
    assert rows["built in"]["error"] == ""
    assert "objectives/l2" in rows["built in"]["registers"]
    fine = rows["distribution kd_greeting"]
    assert (fine["name"], fine["version"], fine["error"]) == ("greeting", "1.2", "")
    assert (fine["hooks"], fine["registers"]) == (
        ["register_commands", "register_objectives"],
        ["objectives/brightness"],
    )
    for name, words in {
        "kd_import": ["'importing' (distribution kd_import) failed to load at", "kd_import.py:1: ModuleNotFoundError"],
        "kd_stop": ["kd_stop.py:1: SystemExit: 5"],
        "kd_command": ["kd_command.py:7: RuntimeError: no commands"],
        "kd_usurper": ["kd_usurper.py:", "ValueError: there is a command 'run' already"],
        "kd_twin": ["two plugins are called 'kerasdream': built in and distribution kd_twin"],
    }.items():
        row = rows[f"distribution {name}"]
        assert row["registers"] == []
        for part in words:
            assert part in row["error"]
    text = kerasdream("plugins", cwd=site, path=site).stdout.splitlines()
    assert len(text) == len(rows)
    assert "greeting 1.2 (distribution kd_greeting): 1 parts, 2 hooks" in text
    assert sum("): broken: " in line for line in text) == 5


def test_broken_distributions_do_not_stop_the_rest(site):
    done = kerasdream("--help", cwd=site, path=site)
    assert done.returncode == 0
    commands = [line.split()[0] for line in done.stdout.partition("Commands:\n")[2].splitlines()]
    assert {"run", "dream", "hello", "leave", "crash"} <= set(commands)
    assert "half" not in commands
    assert kerasdream("list", "objectives", "brightness", cwd=site, path=site).stdout.startswith("brightness: Raises")
    assert kerasdream("run", cwd=site, path=site).returncode == 2  # still the built-in one, that wants a FILE
    (site / "f.yaml").write_text("image: a.png\nobjectives: [lost: {layer: block3_expand}]\n")
    done = kerasdream("validate", "f.yaml", cwd=site, path=site)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "kerasdream: f.yaml:2:14: objectives.0: unknown objective 'lost'; there are: l2, mean"
    )
    assert "brightness" in done.stderr
    assert "kerasdream plugins says why these are broken: importing, kerasdream, stopping" in done.stderr


def test_a_distribution_adds_commands(site):
    done = kerasdream("hello", cwd=site, path=site)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    assert kerasdream("leave", cwd=site, path=site).returncode == 7


def test_an_unexpected_fault_is_short_and_leaves_a_log(site):
    done = kerasdream("crash", cwd=site, path=site)
    assert (done.returncode, done.stdout) == (3, "")
    first, second = done.stderr.splitlines()
    assert first == "kerasdream: an unexpected fault: ZeroDivisionError: one"
    log = Path(re.fullmatch(r"kerasdream: its traceback is in (.+\.log); please report it", second)[1])
    text = log.read_text()
    log.unlink()
    assert "Traceback (most recent call last)" in text
    assert "kd_greeting.py" in text
    for name in ("kerasdream", "python", "tensorflow", "keras", "numpy", "pillow"):
        assert re.search(rf"^{name} \d+\.", text, re.MULTILINE)
