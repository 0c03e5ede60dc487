"""Plugins that cannot be loaded: each is one message with file and line, and does not affect other plugins."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest

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
    files: dict[str, str] = field(default_factory=dict)


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
    "no hooks": Broken("x = 1\n", ["has no hooks; expected register_models, ", "code: my_layers.py"]),
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
