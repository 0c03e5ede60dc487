"""Every kind of broken plugin: each leads to one message, and affects neither the program nor other plugins."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from kerasdream import run
from kerasdream.errors import KerasdreamError
from kerasdream.plugins import manager as plugins

IMPORTS = """\
from kerasdream import (
    Energy, LayerName, Network, Objective, Output, Parametrization, Postprocess, Projection, Rule, Transform,
    hookimpl, ops,
)
"""
FINE = "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a[layer][..., 0])\n"
REGISTER = "@hookimpl\ndef register_objectives(register):\n    register(broken)\n"


@dataclass(frozen=True)
class Broken:
    """A plugin file, parts of the error message it leads to, and the line of the file that the message names."""

    text: str
    words: list[str]
    line: int | None = None
    kind: str = "objectives"
    files: dict[str, str] = field(default_factory=dict)


# What is found when the plugin is loaded: nothing is computed.

AT_LOADING = {
    "import error": Broken("\nimport no_such_module\n", ["failed to load", "ModuleNotFoundError: No module named"], 2),
    "import error in another file of the package": Broken(
        "from . import part\n",
        ["failed to load", "part.py:2: ZeroDivisionError"],
        files={"part.py": "\n1 / 0\n"},
    ),
    "syntax error": Broken("\ndef broken(:\n", ["failed to load", "SyntaxError"], 2),
    "no text": Broken("x = '\0'\n", ["failed to load", "null bytes"]),
    "stops Python": Broken("import sys\nsys.exit(0)\n", ["failed to load", "SystemExit"], 2),
    "raises in a hook": Broken(
        IMPORTS + "@hookimpl\ndef register_objectives(register):\n    raise RuntimeError('moon')\n",
        ["RuntimeError: moon"],
        7,
    ),
    "wrong hook name": Broken(
        IMPORTS + FINE + REGISTER.replace("register_objectives", "register_objective"),
        ["unknown hook 'register_objective'", "did you mean 'register_objectives'"],
        7,
    ),
    "wrong hook signature": Broken(
        IMPORTS + FINE + REGISTER.replace("(register)", "(add)", 1),
        ["has the hook register_objectives(add)", "expected register_objectives(register)"],
        7,
    ),
    "hook without its mark": Broken(
        IMPORTS + FINE + REGISTER.replace("@hookimpl", ""),
        ["register_objectives", "without @kerasdream.hookimpl; add"],
        8,
    ),
    "no hooks": Broken("x = 1\n", ["has no hooks; expected register_models, register_objectives"]),
    "a name of another plugin": Broken(
        IMPORTS + FINE + REGISTER.replace("(broken)", "(broken, name='l2')"),
        ["'l2' of plugin 'plug'", "is already registered by plugin 'kerasdream' at", "l2.py:", "name=..."],
        5,
    ),
    "a name twice": Broken(
        IMPORTS + FINE + REGISTER + "    register(broken)\n",
        ["'broken' of plugin 'plug'", "is already registered by plugin 'plug' at"],
        5,
    ),
    "registers no function": Broken(
        IMPORTS + FINE + REGISTER.replace("(broken)", "('broken')"), ["registers 'broken'", "expected a function"]
    ),
    "a lambda without a name": Broken(
        IMPORTS + FINE + REGISTER.replace("(broken)", "(lambda: None)"), ["'<lambda>'", "needs a name of letters"], 9
    ),
    "a name that recipes use": Broken(
        IMPORTS + FINE + REGISTER.replace("(broken)", "(broken, name='python')"), ["'python'", "needs a name"], 5
    ),
    "registered as another kind": Broken(
        IMPORTS + FINE + REGISTER.replace("register_objectives", "register_priors"),
        ["the prior 'broken'", "is annotated to return Objective; expected Energy or Projection", "-> Energy"],
        5,
    ),
    "positional parameter": Broken(
        IMPORTS + FINE.replace("*, ", "") + REGISTER, ["parameter 'layer' must be keyword-only and annotated"], 5
    ),
    "parameter without annotation": Broken(
        IMPORTS + FINE.replace(": LayerName", "") + REGISTER,
        ["parameter 'layer' must be keyword-only and annotated"],
        5,
    ),
    "parameter called weight": Broken(
        IMPORTS + FINE.replace("*, ", "*, weight: float, ") + REGISTER,
        ["has a parameter 'weight'", "remove or rename it"],
        5,
    ),
    "result annotated None": Broken(
        IMPORTS + FINE.replace(" -> Objective", " -> None") + REGISTER,
        ["is annotated to return None; expected Objective, as in def broken(...) -> Objective, or no annotation"],
        5,
    ),
    "unknown annotation": Broken(
        "from __future__ import annotations\n" + IMPORTS + FINE.replace("LayerName)", "LayrName)") + REGISTER,
        ["has a signature that does not fit a run file", "LayrName"],
        6,
    ),
    "annotation that no YAML can hold": Broken(
        IMPORTS + "import socket\n" + FINE.replace("*, ", "*, by: socket.socket, ") + REGISTER,
        ["has a signature that does not fit a run file", "socket"],
        6,
    ),
    "annotation without a JSON Schema": Broken(
        IMPORTS + "from typing import Callable\n" + FINE.replace("*, ", "*, by: Callable, ") + REGISTER,
        ["has a signature that does not fit a run file"],
        6,
    ),
    "output without a path": Broken(
        IMPORTS
        + "def broken() -> Output:\n    return Output('x', print)\n"
        + REGISTER.replace("objectives", "outputs"),
        ["the output 'broken'", "must have a parameter path: str"],
        5,
    ),
    "default that its annotation forbids": Broken(
        IMPORTS + FINE.replace("*, ", "*, gain: float = None, ") + REGISTER,
        ["the default of 'gain' is None, which its annotation does not allow", "should be a valid number"],
        5,
    ),
}

# What is found when it is used: the run stops, and writes nothing.

AT_USE = {
    "factory raises": Broken("def broken(*, layer: LayerName) -> Objective:\n    1 / 0", ["line 6: ZeroDivisionError"]),
    "factory returns something else": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    pass", ["returned nothing; expected Objective"]
    ),
    "objective of no layers": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective((), lambda a: 0)",
        ["looks at the layers (); expected at least one name"],
    ),
    "energy with a strange radius": Broken(
        "def broken() -> Energy:\n    return Energy(lambda picture: picture[..., 0], radius=None)",
        ["has the radius None; expected a whole number of pixels"],
        kind="priors",
    ),
    "transform with a strange margin": Broken(
        "def broken() -> Transform:\n    return Transform(phase=2.5)",
        ["has the phase 2.5; expected a whole number of pixels"],
        kind="transforms",
    ),
    "output with a strange path": Broken(
        "def broken(*, path: str) -> Output:\n    return Output(None, print)",
        ["has the path None; expected a text such as {stem}-dream.png"],
        kind="outputs",
    ),
    "objective raises": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a['lost'])",
        ["failed in line 6: KeyError: 'lost'"],
    ),
    "objective of the wrong shape": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a[layer])",
        ["returned shape (?, ?, ?, 8) for 'c2'", "expected (n, h, w) or (n,)"],
    ),
    "objective that gives one number a channel": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n"
        "    return Objective(layer, lambda a: ops.mean(a[layer], axis=(0, 1, 2)))",
        ["returned shape (8,)", "expected one number for each of n pictures, (n,)"],
    ),
    "objective that forgets the batch": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n    return Objective(layer, lambda a: a[layer][0])",
        ["returned shape (?, ?, 8)", "expected (n, h, w), the positions of 'c2', (?, ?, ?)"],
    ),
    "objective that is NaN": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n"
        "    return Objective(layer, lambda a: ops.log(-1 - a[layer][..., 0] ** 2))",
        ["the score is not finite at octave 1, step 1: broken c2 = nan"],
    ),
    "objective whose slope is infinite": Broken(
        "def broken(*, layer: LayerName) -> Objective:\n"
        "    return Objective(layer, lambda a: ops.sqrt(ops.sum(0 * a[layer], axis=-1)))",
        ["the gradient is not finite, though the scores are, at octave 1, step 1: broken c2 = 0"],
    ),
    "energy raises": Broken(
        "def broken() -> Energy:\n    return Energy(lambda picture: picture.lost, radius=0)",
        ["AttributeError"],
        kind="priors",
    ),
    "energy of the wrong shape": Broken(
        "def broken() -> Energy:\n    return Energy(lambda picture: picture, radius=0)",
        ["returned shape (?, ?, ?, 3); expected (n, height, width)"],
        kind="priors",
    ),
    "projection raises": Broken(
        "def broken() -> Projection:\n    return Projection(lambda picture: picture / None)",
        ["TypeError"],
        kind="priors",
    ),
    "projection of the wrong shape": Broken(
        "def broken() -> Projection:\n    return Projection(lambda picture: picture[:-1])",
        ["returned shape (39, 56, 3); expected the shape of the picture, (40, 56, 3)"],
        kind="priors",
    ),
    "projection that is NaN": Broken(
        "def broken() -> Projection:\n    return Projection(lambda picture: picture * float('nan'))",
        ["returned numbers that are not finite"],
        kind="priors",
    ),
    "transform raises": Broken(
        "def broken() -> Transform:\n    return Transform(lambda views, seed: views.lost)",
        ["AttributeError"],
        kind="transforms",
    ),
    "transform of the wrong shape": Broken(
        "def broken() -> Transform:\n    return Transform(lambda views, seed: views[..., :1])",
        ["returned shape (?, ?, ?, 1); expected the shape of the views, (?, ?, ?, 3)"],
        kind="transforms",
    ),
    "rule raises": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: memory[3])",
        ["TypeError"],
        kind="ascent",
    ),
    "rule without memory": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: gradient)",
        ["expected (gradient, memory)"],
        kind="ascent",
    ),
    "layer that is not there, named by a plain str": Broken(
        "def broken(*, layer: str) -> Objective:\n    return Objective('c22', lambda a: a['c22'][..., 0])",
        ["looks at 'c22'", "has no such layer", "did you mean 'c2'"],
    ),
    "rule of the wrong shape": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: (ops.mean(gradient), memory))",
        ["returned shape (); expected a gradient of shape (?, ?, ?)"],
        kind="ascent",
    ),
    "rule that is NaN": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: (gradient * float('nan'), memory))",
        ["returned a gradient that is not finite"],
        kind="ascent",
    ),
    "rule whose memory cannot be saved": Broken(
        "def broken() -> Rule:\n    return Rule(lambda gradient, memory, state: (gradient, {1}))",
        ["remembers a set, which cannot be saved for a run to be resumed"],
        kind="ascent",
    ),
    "parametrization without a state": Broken(
        "def broken() -> Parametrization:\n    return Parametrization(lambda picture, seed: None)",
        ["returned nothing; expected an array"],
        kind="parametrizations",
    ),
    "parametrization raises": Broken(
        "def broken() -> Parametrization:\n    return Parametrization(lambda picture, seed: picture.lost)",
        ["AttributeError"],
        kind="parametrizations",
    ),
    "parametrization of the wrong shape": Broken(
        "def broken() -> Parametrization:\n"
        "    return Parametrization(lambda picture, seed: picture, lambda state, height, width: state[:, :, :1])",
        ["returned shape (40, 56, 1); expected (height, width, 3), (40, 56, 3)"],
        kind="parametrizations",
    ),
    "parametrization whose picture raises": Broken(
        "def broken() -> Parametrization:\n"
        "    return Parametrization(\n"
        "        lambda picture, seed: picture,\n"
        "        lambda state, height, width: state.lost)",
        ["failed in line 8: AttributeError", "lost"],
        kind="parametrizations",
    ),
    "parametrization whose picture is not finite": Broken(
        "def broken() -> Parametrization:\n"
        "    return Parametrization(lambda picture, seed: picture, lambda state, height, width: ops.log(state - 9))",
        ["returned a picture that is not finite"],
        kind="parametrizations",
    ),
    "parametrization without a gradient": Broken(
        "def broken() -> Parametrization:\n"
        "    return Parametrization(lambda picture, seed: picture, lambda state, *size: ops.stop_gradient(state))",
        ["without a gradient with respect to the state"],
        kind="parametrizations",
    ),
    "postprocess raises": Broken(
        "def broken() -> Postprocess:\n    return Postprocess(lambda picture, source: picture.lost)",
        ["AttributeError"],
        kind="postprocess",
    ),
    "postprocess that returns nothing": Broken(
        "def broken() -> Postprocess:\n    return Postprocess(lambda picture, source: None)",
        ["returned nothing; expected an array"],
        kind="postprocess",
    ),
    "postprocess to whole numbers": Broken(
        "def broken() -> Postprocess:\n    return Postprocess(lambda picture, source: (127 * picture).astype('uint8'))",
        ["returned uint8; expected float32 in [-1, 1]"],
        kind="postprocess",
    ),
    "output raises when opened": Broken(
        "def broken(*, path: str) -> Output:\n    return Output(path, lambda path: path.lost)",
        ["AttributeError"],
        kind="outputs",
    ),
    "output that is no context manager": Broken(
        "def broken(*, path: str) -> Output:\n    return Output(path, lambda path: None)",
        ["returned nothing; expected a context manager"],
        kind="outputs",
    ),
    "output raises when closed": Broken(
        "import contextlib\n@contextlib.contextmanager\ndef closing(path):\n    yield lambda event: None\n    1 / 0\n"
        "def broken(*, path: str) -> Output:\n    return Output(path, closing)",
        ["ZeroDivisionError"],
        kind="outputs",
    ),
    "model that is none": Broken(
        "def broken() -> Network:\n    return object()", ["returned a object; expected Network"], kind="models"
    ),
    "model raises": Broken("def broken() -> Network:\n    1 / 0", ["line 6: ZeroDivisionError"], kind="models"),
    "model whose preprocessing has the wrong shape": Broken(
        "def broken() -> Network:\n"
        "    import keras\n"
        "    x = keras.Input((None, None, 3))\n"
        "    model = keras.Model(x, keras.layers.Conv2D(2, 3, name='c2')(x))\n"
        "    return Network('broken', model, lambda picture: picture[0])",
        ["returned shape (?, ?, 3); expected (n, height, width, channels)"],
        kind="models",
    ),
}


def plugin_in(folder, broken):
    """Write the plugin; return its name in the run file."""
    if broken.files:
        (folder / "plug").mkdir()
        for name, text in broken.files.items():
            (folder / "plug" / name).write_text(text)
        file = folder / "plug" / "__init__.py"
    else:
        file = folder / "plug.py"
    file.write_text(broken.text)
    return "plug" if broken.files else "plug.py"


@pytest.mark.parametrize("kind", AT_LOADING)
def test_plugin_that_cannot_be_loaded_is_one_error(tmp_path, here, monkeypatch, kind):
    broken = AT_LOADING[kind]
    name = plugin_in(tmp_path, broken)
    monkeypatch.chdir(tmp_path)
    Path("run.yaml").write_text(f"image: a.png\nplugins: [{name}]\nobjectives:\n  - broken: {{layer: block3_expand}}\n")
    code, out, err = here("validate", "run.yaml")
    assert (code, out) == (1, "")
    (message,) = err.splitlines()  # the unknown objective follows from it and is not reported
    assert message.startswith("kerasdream: run.yaml:2:11: plugins.0: ")
    assert "'plug'" in message
    for part in broken.words:
        assert part in message
    if broken.line:
        assert f"plug.py:{broken.line}" in message


def test_broken_plugins_do_not_affect_the_others(tmp_path, folder):
    paths = []
    for number, broken in enumerate(AT_LOADING.values()):
        plugin_in(tmp_path, broken)
        (plugin,) = tmp_path.glob("plug*")
        paths.append(plugin.rename(folder / f"broken{number}{plugin.suffix}"))
    loaded = plugins.discover([*paths, folder / "my_objective.py", folder / "lost.py"])
    names = [path.name.removesuffix(".py") for path in paths]
    assert [plugin.name for plugin in loaded.broken if plugin.file] == [*names, "lost.py"]
    assert loaded.registry.get("objectives", "contrast").plugin == "my_objective"
    assert loaded.registry.get("objectives", "l2").plugin == "kerasdream"
    assert "broken" not in loaded.registry.entries["objectives"]


@pytest.mark.parametrize("kind", AT_USE)
def test_plugin_that_fails_in_a_run_is_one_error(folder, tmp_path, kind):
    broken = AT_USE[kind]
    text = f"{IMPORTS}{broken.text}\n\n@hookimpl\ndef register_{broken.kind}(register):\n    register(broken)\n"
    (folder / "plug.py").write_text(text)
    entry = {"objectives": "broken: {layer: c2}", "outputs": "broken: {path: out.x}"}.get(broken.kind, "broken")
    one = {"parametrizations": "parametrization", "models": "model"}.get(broken.kind)
    keys = {
        "plugins": "[plug.py]",
        "image": "photo.png",
        "model": "{file: tiny.keras, input_range: [-1, 1]}",
        "objectives": "[l2: c2]",
        "octaves": "{count: 1, steps: 2}",
        one or broken.kind: "broken" if one else f"[{entry}]",
    }
    (folder / "plug.yaml").write_text("\n".join(f"{key}: {value}" for key, value in keys.items()))
    out = tmp_path / "out"
    out.mkdir()
    with pytest.raises(KerasdreamError) as caught:
        run(folder / "plug.yaml", folder=out)
    (message,) = str(caught.value).splitlines()
    line = 1 + next(i for i, line in enumerate(text.splitlines()) if line.startswith("def broken"))
    assert re.search(rf"'broken' of plugin 'plug' at \S+plug\.py:{line}\b", message), message
    for part in broken.words:
        assert part in message
    late = broken.kind == "postprocess" or kind == "output raises when closed"  # the dream itself was done, and is kept
    assert [path.suffix for path in out.iterdir()] == [".checkpoint"] * late


def test_other_errors_are_reported_with_a_broken_plugin(tmp_path, here):
    (tmp_path / "plug.py").write_text("import no_such_module")
    (tmp_path / "run.yaml").write_text("image: a.png\nplugins: [plug.py]\nobjectives: [broken]\nseed: -1\n")
    code, _, err = here("validate", tmp_path / "run.yaml")
    assert code == 1
    assert [re.sub(r".*yaml:(\d+).*", r"\1", line) for line in err.splitlines()] == ["2", "4"]


def test_run_that_needs_a_broken_plugin_stops(folder, here, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "my_objective.py").write_text("import no_such_module")
    code, out, err = here("run", "run.yaml", "-o", "out")
    assert (code, out) == (1, "")
    (message,) = err.splitlines()
    assert "my_objective.py:1: ModuleNotFoundError" in message
    assert not (folder / "out").exists()


def test_output_printed_by_a_plugin_goes_to_stderr(folder, here, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "my_objective.py").write_text("print('hello')\n" + (folder / "my_objective.py").read_text())
    code, out, err = here("list", "objectives", "contrast", "--json", "--plugin", "my_objective.py")
    assert (code, err) == (0, "hello\n")
    assert out.startswith("{")


def test_interruption_before_the_first_step_leaves_no_picture(folder, tmp_path):
    text = (folder / "my_objective.py").read_text()
    (folder / "my_objective.py").write_text(
        text.replace("lambda activations:", "lambda activations: (_ for _ in ()).throw(KeyboardInterrupt) or")
    )
    with pytest.raises(KeyboardInterrupt):
        run(folder / "run.yaml", folder=tmp_path / "folder")
    assert not list(folder.glob("*dream*"))
