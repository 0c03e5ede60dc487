"""Installed distributions: which are loaded, what a broken one affects, and the commands they add."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from kerasdream import __version__, run
from kerasdream.config.resolve import load
from kerasdream.events import Stepped
from kerasdream.plugins import manager as plugins

IDLE = """\
from kerasdream import hookimpl

def {name}():
    \"\"\"Changes nothing.\"\"\"
    return lambda picture: picture

@hookimpl
def register_postprocess(register):
    register({name})
"""


def calls_in_a_step(config):
    """How often Python functions are called between two steps, by file."""
    counts: list[Counter] = []

    def profile(frame, event, argument):
        if event == "call":
            counts[-1][frame.f_code.co_filename] += 1

    def on_event(event):
        sys.setprofile(None)
        counts.append(Counter())
        if isinstance(event, Stepped):
            sys.setprofile(profile)

    try:
        run(config, overwrite=True, on_event=on_event)
    finally:
        sys.setprofile(None)
    return counts[-4]  # between the last two steps but one: after the last one the picture is written


def test_unused_plugins_add_no_calls_to_a_step(folder, tmp_path):
    overrides = ["octaves={count: 1, steps: 6}"]
    for number in range(20):
        (tmp_path / f"idle{number}.py").write_text(IDLE.format(name=f"idle{number}"))
    idle = sorted(tmp_path.glob("idle*.py"))
    alone, with_idle = (calls_in_a_step(load(folder / "run.yaml", overrides, plugins=more)) for more in ([], idle))
    assert sum(alone.values()) > 50
    mine = str(Path(plugins.__file__).parent)
    assert {file: count for file, count in alone.items() if file.startswith(mine)} == {
        file: count for file, count in with_idle.items() if file.startswith(mine)
    }
    for counts in (alone, with_idle):
        files = {Path(file).name for file in counts if "pluggy" in file or file.startswith(mine)}
        assert not files & {"_hooks.py", "_callers.py", "_manager.py", "manager.py", "registry.py", "hookspecs.py"}
        assert not any(Path(file).stem.startswith("idle") for file in counts)


def test_plugin_that_imports_keras_is_noted(folder, process):
    """In a process of its own, because Keras must not be loaded yet."""
    (folder / "heavy.py").write_text("import keras\n" + IDLE.format(name="heavy"))
    done = process("plugins", "--plugin", "heavy.py", "--plugin", "my_objective.py", cwd=folder)
    rows = re.split(r"\n(?=\S)", done.stdout)
    noted = [row.split()[0] for row in rows if "imports keras when loaded" in row]
    assert noted == ["heavy"]
    loaded = {row.split()[0] for row in rows if "1 part" in row}
    assert {"heavy", "my_objective"} <= loaded


@pytest.mark.parametrize(
    ("text", "loaded"),
    [
        (None, "film_grain sparkle"),
        ("", ""),
        (" ", ""),
        ("film_grain", "film_grain"),
        ("Film-Grain", "film_grain"),
        ("kerasdream-film-grain", "film_grain"),
        ("film_grain, sparkle", "film_grain sparkle"),
        ("-film_grain", "sparkle"),
        ("-kerasdream-film-grain", "sparkle"),
        ("-film_grain,-sparkle", ""),
        ("film_grain,sparkle,-sparkle", "film_grain"),
        ("-other", "film_grain sparkle"),
    ],
)
def test_selection(text, loaded):
    selection = plugins.Selection.of(text)
    found = [plugins.Plugin("film_grain", "1", "kerasdream-film-grain"), plugins.Plugin("sparkle", "1", "kd-sparkle")]
    assert [plugin.name for plugin in found if selection.admits(plugin)] == loaded.split()
    assert not list(selection.missing(found))


def test_selected_plugin_that_is_not_installed_is_reported():
    found = [plugins.Plugin("film_grain", "1", "kerasdream-film-grain")]
    (missing,) = plugins.Selection.of("film_grian,film_grain").missing(found)
    assert missing.error.startswith("KERASDREAM_PLUGINS names 'film-grian', which is not installed; did you mean")


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


@pytest.fixture
def installed(site, tmp_path, monkeypatch):
    """The distributions, importable in this process, and an empty working directory."""
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    return site


def test_broken_distributions_are_listed_with_their_cause(installed, here):
    code, out, err = here("plugins", "--json")
    assert (code, err) == (0, "")
    rows = {row["origin"]: row for row in json.loads(out)}
    assert rows["built in"]["error"] == ""
    assert "objectives/l2" in rows["built in"]["registers"]
    fine = rows["distribution kd_greeting"]
    assert (fine["name"], fine["version"], fine["state"], fine["error"]) == ("greeting", "1.2", "loaded", "")
    assert (fine["distribution"], fine["file"], fine["notes"]) == ("kd_greeting", None, [])
    assert (fine["hooks"], fine["registers"]) == (
        ["register_commands", "register_objectives"],
        ["objectives/brightness"],
    )
    for name, words in {
        "kd_import": ["'importing' (distribution kd_import) failed to load at", "kd_import.py:1: ModuleNotFoundError"],
        "kd_stop": ["kd_stop.py:1: SystemExit: 5"],
        "kd_command": ["kd_command.py:7: RuntimeError: no commands"],
        "kd_usurper": ["kd_usurper.py:", "ValueError: there is already a command 'run'"],
        "kd_twin": ["two plugins are called 'kerasdream': built in and distribution kd_twin"],
    }.items():
        row = rows[f"distribution {name}"]
        assert (row["state"], row["registers"]) == ("broken", [])
        for part in words:
            assert part in row["error"]
    text = here("plugins")[1].splitlines()
    assert len([line for line in text if not line.startswith(" ")]) == len(rows)
    assert "greeting 1.2 (distribution kd_greeting): 1 part, 2 hooks" in text
    assert "  objectives/brightness" in text
    assert sum("): broken: " in line for line in text) == 5


def test_broken_distributions_do_not_affect_other_plugins(installed, here):
    code, out, _ = here("--help")
    assert code == 0
    commands = [line.split()[0] for line in out.partition("Commands:\n")[2].splitlines()]
    assert {"run", "dream", "hello", "leave", "crash"} <= set(commands)
    assert "half" not in commands
    assert here("list", "objectives", "brightness")[1].startswith("brightness: Raises")
    _, out, err = here("list", "objectives")
    assert re.search(r"^  brightness +Raises the first channel\.  \[greeting\]$", out, re.MULTILINE)
    assert err.startswith("kerasdream: not in use: commanding, importing,")
    assert here("run")[0] == 2  # still the built-in command, which requires a FILE
    Path("f.yaml").write_text("image: a.png\nobjectives: [brightnes: {layer: block3_expand}]\n")
    code, _, err = here("validate", "f.yaml")
    assert code == 1
    assert err.startswith(
        "kerasdream: f.yaml:2:14: objectives.0: unknown objective 'brightnes'; did you mean 'brightness'?"
    )
    assert "(not in use: importing, kerasdream, stopping; see kerasdream plugins)" in err


def test_environment_variable_selects_installed_plugins(installed, here, monkeypatch):
    monkeypatch.setenv("KERASDREAM_PLUGINS", "kd-greeting,lost")
    rows = {row["origin"]: row for row in json.loads(here("plugins", "--json")[1])}
    states = {origin: row["state"] for origin, row in rows.items()}
    assert states["distribution kd_greeting"] == "loaded"
    assert states["not installed"] == "broken"
    assert rows["not installed"]["error"].startswith("KERASDREAM_PLUGINS names 'lost', which is not installed")
    assert {states[f"distribution {name}"] for name in DISTRIBUTIONS if name != "kd_greeting"} == {"disabled"}
    Path("f.yaml").write_text("image: a.png\nobjectives: [brightness: {layer: block3_expand}]\n")
    assert here("validate", "f.yaml")[0] == 0
    monkeypatch.setenv("KERASDREAM_PLUGINS", "-greeting")
    code, _, err = here("validate", "f.yaml")
    assert code == 1
    assert "(not in use: greeting, importing, kerasdream, stopping; see kerasdream plugins)" in err


def test_recipe_contains_versions_of_used_distributions(installed, folder):
    (folder / "f.yaml").write_text(
        "image: photo.png\nmodel: {file: tiny.keras, input_range: [-1, 1]}\nobjectives: [brightness: {layer: c2}]\n"
        "octaves: {count: 1, steps: 1}\n"
    )
    versions = run(folder / "f.yaml").manifest["versions"]
    assert versions["kd_greeting"] == "1.2"
    assert not versions.keys() & (DISTRIBUTIONS.keys() - {"kd_greeting"})


def test_commands_of_a_distribution(site, installed, here, process):
    done = process("hello", cwd=site, path=site)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    assert here("leave")[0] == 7


def test_failing_command_names_its_plugin(installed, here):
    code, out, err = here("crash")
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    expected = r"the command 'crash' of .*'greeting'.* failed at .*kd_greeting\.py:\d+: ZeroDivisionError: one"
    assert re.search(expected, line)


def test_built_in_plugin_has_the_version_of_the_package():
    assert plugins.discover().found[0].version == __version__
