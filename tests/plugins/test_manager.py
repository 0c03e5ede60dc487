"""The ways in: a file beside the run file or typed, a folder, an installed distribution; what is trusted and told."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import jsonschema
import pytest
import yaml

from kerasdream import images, run, testing
from kerasdream.config.document import parse
from kerasdream.config.recipes import plugin_checksum
from kerasdream.config.resolve import load
from kerasdream.errors import ConfigError, OutputError
from kerasdream.events import Stepped
from kerasdream.plugins import files as plugin_files
from kerasdream.plugins import manager as plugins
from kerasdream.schedules import Ramp

EVENTS = """\
from contextlib import contextmanager
from kerasdream import Output, hookimpl


def log(*, path: str = "{stem}.log") -> Output:
    \"\"\"Writes the names of the events.

    Args:
        path: the file.
    \"\"\"

    @contextmanager
    def opened(path):
        names = []

        def receive(event):
            names.append(type(event).__name__)
            if names[-1] == "Finished":
                assert names[0] == "Started"
                path.write_text("\\n".join(names))

        yield receive

    return Output(path, opened)


@hookimpl
def register_outputs(register):
    register(log)
"""

# A plugin file


def test_a_plugin_file_dreams(folder, process):
    done = process("run", "run.yaml", "-o", "out", "-q", cwd=folder)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [path.name for path in (folder / "out").iterdir()] == ["photo-dream.png"]
    recipe = parse(images.read_recipe(folder / "out" / "photo-dream.png"), "recipe").data["recipe"]
    gain = {"from": 0.5, "to": 2.0, "over": "steps"}
    assert recipe["objectives"] == [{"contrast": {"layer": "c2", "gain": gain, "weight": 1.0}}]
    assert recipe["plugins"] == ["my_objective.py"]


def test_a_run_prints_which_plugin_files_it_loads(folder, process):
    done = process("run", "run.yaml", "-o", "out", cwd=folder)
    assert done.stderr.splitlines()[0] == "plugin file: my_objective.py"
    assert process("validate", "run.yaml", cwd=folder).stderr == "plugin file: my_objective.py\n"


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
    Path("f.yaml").write_text(Path("run.yaml").read_text().replace(old, new))
    code, out, err = here("validate", "f.yaml")
    assert (code, out) == (1, "")
    assert err.startswith(f"kerasdream: {fault}")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("[lost.py]", ["the plugin lost.py does not exist"]),
        ("[photo.png]", ["photo.png is not a plugin: expected a .py file, a package or a folder of .py files"]),
        ("[empty]", ["the plugin folder empty has no Python files"]),
        ("my_objective.py", ["expected a list of Python files and folders, not my_objective.py"]),
        ("[../elsewhere.py]", ["../elsewhere.py is outside the run file's folder", "copy it", "--plugin", "--trust"]),
        ("[linked.py]", ["linked.py is outside the run file's folder"]),
        ("[links]", ["links is outside the run file's folder"]),
        ("[my_objective.py, copy/my_objective.py]", ["two plugins are called 'my_objective'"]),
        ("[kerasdream.py]", ["two plugins are called 'kerasdream': built in and file"]),
    ],
)
def test_plugin_files_that_are_refused(folder, here, monkeypatch, files, words):
    monkeypatch.chdir(folder)
    for name in ("copy", "empty", "links"):
        Path(name).mkdir()
    for path in ("copy/my_objective.py", "kerasdream.py", "../elsewhere.py"):
        Path(path).write_text(Path("my_objective.py").read_text())
    for link in ("linked.py", "links/linked.py"):
        Path(link).symlink_to(folder.parent / "elsewhere.py")
    Path("f.yaml").write_text(Path("run.yaml").read_text().replace("[./my_objective.py]", files))
    code, out, err = here("validate", "f.yaml")
    assert (code, out) == (1, "")
    (fault,) = err.splitlines()
    assert fault.startswith("kerasdream: f.yaml:1:")
    for part in words:
        assert part in fault


def test_a_plugin_file_named_twice_is_loaded_once(folder, here):
    text = (folder / "run.yaml").read_text().replace("[./my_objective.py]", "[my_objective.py, ./my_objective.py]")
    (folder / "f.yaml").write_text(text)
    assert here("validate", folder / "f.yaml", "--plugin", folder / "my_objective.py")[0] == 0


def test_an_objective_of_keras_ops_alone_works_everywhere(folder, here):
    """In the engine, in tiles, in the algebra, with schedules (the check); the JSON Schema; faults with their line."""
    registration = plugins.discover([folder / "my_objective.py"]).registry.get("objectives", "contrast")
    documented = registration.factory
    documented.__doc__ += "\n\nArgs:\n    layer: the layer.\n    gain: the gain.\n"
    testing.check_objective(documented, {"layer": "conv2", "gain": 2.0})
    schema = json.loads(here("schema", "--plugin", folder / "my_objective.py")[1])
    data = yaml.safe_load((folder / "run.yaml").read_text())
    jsonschema.validate(data, schema)
    for wrong in ({"layer": "c2", "gian": 1.0}, {"layer": "c2", "gain": "low"}, {"gain": 1.0}):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({**data, "objectives": [{"contrast": wrong}]}, schema)
    (folder / "f.yaml").write_text((folder / "run.yaml").read_text().replace("from: 0.5", "from: low"))
    assert (
        f"{folder / 'f.yaml'}:5:34: objectives.0.contrast.gain.from: expected a valid"
        in here("validate", folder / "f.yaml")[2]
    )


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


def test_plugins_that_a_run_does_not_use_cost_nothing_in_a_step(folder, tmp_path):
    overrides = ["octaves={count: 1, steps: 6}"]
    for number in range(20):
        (tmp_path / f"idle{number}.py").write_text(PART.format(name=f"idle{number}"))
    idle = sorted(tmp_path.glob("idle*.py"))
    alone, beside = (calls_in_a_step(load(folder / "run.yaml", overrides, plugins=more)) for more in ([], idle))
    assert sum(alone.values()) > 50
    mine = str(Path(plugins.__file__).parent)
    assert {file: count for file, count in alone.items() if file.startswith(mine)} == {
        file: count for file, count in beside.items() if file.startswith(mine)
    }
    for counts in (alone, beside):
        files = {Path(file).name for file in counts if "pluggy" in file or file.startswith(mine)}
        assert not files & {"_hooks.py", "_callers.py", "_manager.py", "plugins.py", "registry.py", "hookspecs.py"}
        assert not any(Path(file).stem.startswith("idle") for file in counts)


def test_a_plugin_that_imports_keras_when_loaded_is_told(folder, process):
    heavy = folder / "heavy.py"
    heavy.write_text("import keras\n" + PART.format(name="heavy"))
    rows = json.loads(
        process("plugins", "--json", "--plugin", "heavy.py", "--plugin", "my_objective.py", cwd=folder).stdout
    )
    notes = {row["name"]: row["notes"] for row in rows}
    assert notes["my_objective"] == []
    (note,) = notes["heavy"]
    assert "imports keras when loaded" in note
    assert note in process("plugins", "--plugin", "heavy.py", cwd=folder).stdout


# Folders

PART = """\
from kerasdream import Postprocess, hookimpl

def {name}() -> Postprocess:
    \"\"\"Leaves the picture as it is.\"\"\"
    return Postprocess(lambda picture, source: picture)

@hookimpl
def register_postprocess(register):
    register({name})
"""


@pytest.fixture
def many(folder):
    """A folder of plugin files beside the run file, and one that is a package."""
    (folder / "many").mkdir()
    for name in ("first", "second"):
        (folder / "many" / f"{name}.py").write_text(PART.format(name=name))
    for name in ("_helper.py", "test_first.py", "conftest.py", "setup.py"):
        (folder / "many" / name).write_text("raise RuntimeError('not a plugin')")
    (folder / "package").mkdir()
    (folder / "package" / "part.py").write_text(PART.format(name="third"))
    (folder / "package" / "__init__.py").write_text("from .part import register_postprocess\n")
    return folder


def test_a_folder_is_its_files_and_a_package_is_one_plugin(many, here, monkeypatch):
    monkeypatch.chdir(many)
    text = Path("run.yaml").read_text().replace("[./my_objective.py]", "[my_objective.py, many, package]")
    Path("f.yaml").write_text(f"{text}postprocess: [first, second, third]\n")
    assert here("validate", "f.yaml")[:2] == (0, "f.yaml: ok\n")
    assert load(Path("f.yaml")).data["plugins"] == ["my_objective.py", "many", "package"]
    code, out, _ = here("plugins", "--json", "--plugin", "many", "--plugin", "package")
    rows = {row["name"]: row for row in json.loads(out)}
    assert code == 0
    assert {name for name, row in rows.items() if row["file"]} == {"first", "second", "package"}
    assert rows["package"]["registers"] == ["postprocess/third"]


# Typed on the command line


def test_a_typed_plugin_may_be_anywhere(folder, here, tmp_path):
    (folder / "my_objective.py").rename(tmp_path / "moved.py")
    plain = (folder / "run.yaml").read_text().partition("\n")[2]
    (folder / "f.yaml").write_text(plain)
    assert here("validate", folder / "f.yaml")[0] == 1
    code, out, err = here("validate", folder / "f.yaml", "--plugin", tmp_path / "moved.py")
    assert (code, err) == (0, f"plugin file: {tmp_path / 'moved.py'}\n")
    for command in (
        ["plan", folder / "f.yaml"],
        ["list", "objectives"],
        ["list", "objectives", "contrast"],
        ["plugins"],
        ["schema"],
    ):
        code, out, err = here(*command, "--plugin", tmp_path / "moved.py")
        assert (code, err) == (0, "")
        assert "contrast" in out or command[0] == "plan", command
    code, out, err = here("list", "--plugin", tmp_path / "lost.py")
    assert (code, out, err) == (1, "", f"kerasdream: the plugin {tmp_path / 'lost.py'} does not exist\n")
    code, out, err = here("plugins", "--plugin", tmp_path / "lost.py")
    assert (code, err) == (0, "")
    assert f"lost.py (file {tmp_path / 'lost.py'}): broken: the plugin {tmp_path / 'lost.py'} does not exist" in out
    code, out, err = here("validate", folder / "f.yaml", "--plugin", tmp_path / "lost.py")
    assert err == f"kerasdream: --plugin {tmp_path / 'lost.py'}: the plugin {tmp_path / 'lost.py'} does not exist\n"


def test_a_photo_is_dreamed_with_a_typed_plugin(folder, process):
    overrides = ["-s", "objectives=[{contrast: c2}]", "-s", "octaves={count: 1, steps: 1}"]
    model = ["-s", "model={file: tiny.keras, input_range: [-1, 1]}"]
    done = process("dream", "photo.png", *overrides, *model, "--plugin", "my_objective.py", cwd=folder)
    assert done.returncode == 0, done.stderr
    assert "plugin file: my_objective.py" in done.stderr


def test_trust_lifts_the_bounds_of_a_run_file(folder, here):
    (folder / "my_objective.py").rename(folder.parent / "elsewhere.py")
    text = (folder / "run.yaml").read_text().replace("./my_objective.py", "../elsewhere.py")
    (folder / "f.yaml").write_text(text)
    assert here("validate", folder / "f.yaml")[0] == 1
    assert here("validate", folder / "f.yaml", "--trust")[0] == 0
    with pytest.raises(ConfigError, match="outside the run file's folder"):
        run(folder / "f.yaml")
    assert run(folder / "f.yaml", trust=True).paths == (folder / "photo-dream.png",)


def test_a_recipe_loads_no_plugin_unless_it_is_trusted_or_typed(folder, here, tmp_path):
    marker = tmp_path / "it_ran"
    plugin = folder / "my_objective.py"
    plugin.write_text(f"open({str(marker)!r}, 'w')\n{plugin.read_text()}")
    (picture,) = run(folder / "run.yaml").paths
    marker.unlink()
    code, out, err = here("validate", picture)
    assert (code, out) == (1, "")
    (fault,) = err.splitlines()
    assert "my_objective.py is a plugin, which is code that runs, so a recipe from a picture does not load it" in fault
    assert "--plugin" in fault
    assert "--trust" in fault
    assert not marker.exists()
    assert here("validate", picture, "--trust")[:2] == (0, f"{picture}: ok\n")
    assert marker.exists()
    moved = plugin.rename(tmp_path / plugin.name)
    assert here("validate", picture, "--trust")[0] == 1
    assert here("validate", picture, "--plugin", moved)[0] == 0


def test_a_recipe_knows_its_plugins_by_their_checksums(folder, here, tmp_path):
    plugin, out = folder / "my_objective.py", tmp_path / "out"
    out.mkdir()
    result = run(folder / "run.yaml")
    assert result.manifest["plugins"] == {plugin.name: hashlib.sha256(plugin.read_bytes()).hexdigest()}
    assert parse(images.read_recipe(result.paths[0]), "recipe").data["plugins"] == result.manifest["plugins"]
    assert run(folder / "run.yaml", resume=True).timings == {}
    plugin.write_text(plugin.read_text() + "# changed\n")
    with pytest.raises(OutputError, match=r"another picture \(plugins.my_objective.py is \w+\.\.\., was \w+\.\.\.\)"):
        run(folder / "run.yaml", resume=True)
    code, _, err = here("validate", result.paths[0], "--trust")
    assert code == 1
    assert "my_objective.py is not the plugin that photo-dream.png was made with (its checksum differs)" in err
    assert here("validate", result.paths[0], "--plugin", plugin)[0] == 0


def test_the_checksum_of_a_plugin_is_that_of_what_it_is_made_of(folder, tmp_path):
    package = tmp_path / "package"
    package.mkdir()
    for name in ("__init__.py", "part.py", "table.csv"):
        (package / name).write_text(name)
    seen = [plugin_checksum(package), plugin_checksum(tmp_path / "package" / "part.py")]
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "part.pyc").write_text("compiled")
    assert plugin_checksum(package) == seen[0]
    (package / "table.csv").write_text("changed")
    seen.append(plugin_checksum(package))
    (package / "__init__.py").unlink()  # it is now a folder of plugins
    seen.append(plugin_checksum(package))
    (package / "a-dream.png").write_text("an output")
    assert plugin_checksum(package) == seen[-1]
    assert len(set(seen)) == 4


def test_an_output_is_told_all_that_happens(folder):
    (folder / "log.py").write_text(EVENTS)
    (folder / "log.yaml").write_text(
        "image: photo.png\nmodel: {file: tiny.keras, input_range: [-1, 1]}\nobjectives: {l2: c2}\n"
        "octaves: {count: 1, steps: 2}\nplugins: [log.py]\noutputs: [log]\n"
    )
    (path,) = run(folder / "log.yaml").paths
    assert path.read_text().split() == ["Started", "Stepped", "Stepped", "Finished"]
    (folder / "checked").mkdir()
    assert testing.check_output(plugin_files.module(folder / "log.py").log, folder=folder / "checked")


def test_from_python_plugins_are_given_by_path(folder, monkeypatch):
    monkeypatch.chdir(folder)
    data = yaml.safe_load(Path("run.yaml").read_text())
    del data["plugins"]
    with pytest.raises(ConfigError, match="unknown objective 'contrast'"):
        run(data)
    assert run(data, plugins=["my_objective.py"]).scores


# Which installed plugins are loaded


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


def test_a_selected_plugin_that_is_not_installed_is_told():
    found = [plugins.Plugin("film_grain", "1", "kerasdream-film-grain")]
    (missing,) = plugins.Selection.of("film_grian,film_grain").missing(found)
    assert missing.error.startswith("KERASDREAM_PLUGINS names 'film-grian', which is not installed; did you mean")


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


def test_broken_distributions_are_listed_with_their_cause(site, process):
    done = process("plugins", "--json", cwd=site, path=site)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {row["origin"]: row for row in json.loads(done.stdout)}
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
    text = process("plugins", cwd=site, path=site).stdout.splitlines()
    assert len([line for line in text if not line.startswith(" ")]) == len(rows)
    assert "greeting 1.2 (distribution kd_greeting): 1 part, 2 hooks" in text
    assert "  objectives/brightness" in text
    assert sum("): broken: " in line for line in text) == 5


def test_broken_distributions_do_not_stop_the_rest(site, process):
    done = process("--help", cwd=site, path=site)
    assert done.returncode == 0
    commands = [line.split()[0] for line in done.stdout.partition("Commands:\n")[2].splitlines()]
    assert {"run", "dream", "hello", "leave", "crash"} <= set(commands)
    assert "half" not in commands
    assert process("list", "objectives", "brightness", cwd=site, path=site).stdout.startswith("brightness: Raises")
    listed = process("list", "objectives", cwd=site, path=site)
    assert re.search(r"^  brightness +Raises the first channel\.  \[greeting\]$", listed.stdout, re.MULTILINE)
    assert listed.stderr.startswith("kerasdream: not in use, as kerasdream plugins explains: commanding, importing,")
    assert process("run", cwd=site, path=site).returncode == 2  # still the built-in one, that wants a FILE
    (site / "f.yaml").write_text("image: a.png\nobjectives: [brightnes: {layer: block3_expand}]\n")
    done = process("validate", "f.yaml", cwd=site, path=site)
    assert done.returncode == 1
    assert done.stderr.startswith(
        "kerasdream: f.yaml:2:14: objectives.0: unknown objective 'brightnes'; did you mean 'brightness'?"
    )
    assert "(not in use: importing, kerasdream, stopping; see kerasdream plugins)" in done.stderr


def test_installed_plugins_are_selected(site, process):
    selected = {"path": site, "KERASDREAM_PLUGINS": "kd-greeting,lost"}
    rows = {row["origin"]: row for row in json.loads(process("plugins", "--json", cwd=site, **selected).stdout)}
    states = {origin: row["state"] for origin, row in rows.items()}
    assert states["distribution kd_greeting"] == "loaded"
    assert states["not installed"] == "broken"
    assert rows["not installed"]["error"].startswith("KERASDREAM_PLUGINS names 'lost', which is not installed")
    assert {states[f"distribution {name}"] for name in DISTRIBUTIONS if name != "kd_greeting"} == {"disabled"}
    (site / "f.yaml").write_text("image: a.png\nobjectives: [brightness: {layer: block3_expand}]\n")
    assert process("validate", "f.yaml", cwd=site, **selected).returncode == 0
    done = process("validate", "f.yaml", cwd=site, path=site, KERASDREAM_PLUGINS="-greeting")
    assert done.returncode == 1
    assert "why these plugins are not in use: greeting, importing, kerasdream, stopping" in done.stderr


def test_a_recipe_holds_the_versions_of_the_installed_plugins_it_used(site, folder, monkeypatch):
    monkeypatch.syspath_prepend(site)
    (folder / "f.yaml").write_text(
        "image: photo.png\nmodel: {file: tiny.keras, input_range: [-1, 1]}\nobjectives: [brightness: {layer: c2}]\n"
        "octaves: {count: 1, steps: 1}\n"
    )
    versions = run(folder / "f.yaml").manifest["versions"]
    assert versions["kd_greeting"] == "1.2"
    assert not versions.keys() & (DISTRIBUTIONS.keys() - {"kd_greeting"})


def test_a_distribution_adds_commands(site, process):
    done = process("hello", cwd=site, path=site)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")
    assert process("leave", cwd=site, path=site).returncode == 7


def test_a_command_that_fails_is_laid_at_its_plugin(site, process):
    done = process("crash", cwd=site, path=site)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    expected = r"the command 'crash' of .*'greeting'.* failed at .*kd_greeting\.py:\d+: ZeroDivisionError: one"
    assert re.search(expected, line)


def test_an_unexpected_fault_is_short_and_leaves_a_log(tmp_path):
    broken = (
        "import click, kerasdream.cli.main as c\n"
        "def crash():\n    raise ZeroDivisionError('one\\ntwo')\n"
        "c.cli.add_command(click.Command('crash', callback=crash))\nc.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", broken, "crash"], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert (done.returncode, done.stdout) == (3, "")
    first, second = done.stderr.splitlines()
    assert first == "kerasdream: unexpected error: ZeroDivisionError: one"
    log = Path(re.fullmatch(r"kerasdream: the traceback is in (.+\.log); please report it", second)[1])
    text = log.read_text()
    log.unlink()
    assert "Traceback (most recent call last)" in text
    assert "in crash" in text
    for name in ("kerasdream", "python", "tensorflow", "keras", "numpy", "pillow"):
        assert re.search(rf"^{name} \d+\.", text, re.MULTILINE)
