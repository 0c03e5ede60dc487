"""Plugin files, packages and folders: how they are found, what is trusted, what recipes record about them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from kerasdream import images, run, testing
from kerasdream.config.document import parse
from kerasdream.config.recorded import plugin_checksum
from kerasdream.config.resolve import load
from kerasdream.errors import ConfigError, OutputError
from kerasdream.plugins import files as plugin_files
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

PART = """\
from kerasdream import hookimpl

def {name}():
    \"\"\"Changes nothing.\"\"\"
    return lambda picture: picture

@hookimpl
def register_postprocess(register):
    register({name})
"""


def test_run_with_a_plugin_file(folder, here, monkeypatch):
    monkeypatch.chdir(folder)
    code, out, err = here("run", "run.yaml", "-o", "out")
    assert (code, err.splitlines()[0]) == (0, "plugin file: my_objective.py")
    assert [path.name for path in (folder / "out").iterdir()] == ["photo-dream.png"]
    recipe = parse(images.read_recipe(folder / "out" / "photo-dream.png"), "recipe").data["recipe"]
    gain = {"from": 0.5, "to": 2.0, "over": "steps"}
    assert recipe["objectives"] == [{"contrast": {"layer": "c2", "gain": gain, "weight": 1.0}}]
    assert recipe["plugins"] == ["my_objective.py"]
    assert here("validate", "run.yaml")[2] == "plugin file: my_objective.py\n"
    code, out, err = here("run", "run.yaml", "-o", "out", "--overwrite", "--quiet")
    assert (code, out, err) == (0, "", "")


def test_dream_with_a_plugin_option(folder, here, monkeypatch):
    monkeypatch.chdir(folder)
    overrides = ["-s", "objectives=[{contrast: c2}]", "-s", "octaves={count: 1, steps: 1}"]
    model = ["-s", "model={file: tiny.keras, input_range: [-1, 1]}"]
    code, _, err = here("dream", "photo.png", *overrides, *model, "--plugin", "my_objective.py")
    assert code == 0, err
    assert "plugin file: my_objective.py" in err


def test_float_parameter_accepts_a_schedule(folder):
    (entry,) = load(folder / "run.yaml").objectives
    assert (entry.name, entry.plugin) == ("contrast", "my_objective")
    assert entry.values["gain"] == Ramp(**{"from": 0.5, "to": 2.0})
    assert entry.make().layers == ("c2",)


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [
        ("gain:", "gian:", "f.yaml:5:27: objectives.0.contrast.gian: unknown key 'gian'; did you mean 'gain'?"),
        ("0.5", "low", "f.yaml:5:34: objectives.0.contrast.gain.from: expected a number, not low"),
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
def test_parameter_errors_have_line_numbers(folder, here, monkeypatch, old, new, error):
    monkeypatch.chdir(folder)
    Path("f.yaml").write_text(Path("run.yaml").read_text().replace(old, new))
    code, out, err = here("validate", "f.yaml")
    assert (code, out) == (1, "")
    assert err.startswith(f"kerasdream: {error}")
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ("[lost.py]", ["the plugin lost.py does not exist"]),
        ("[photo.png]", ["photo.png is not a plugin: expected a .py file, a package or a folder of .py files"]),
        ("[empty]", ["the plugin folder empty has no Python files"]),
        ("my_objective.py", ["expected a list, not my_objective.py"]),
        ("[../elsewhere.py]", ["../elsewhere.py is outside the run file's folder", "copy it", "--plugin", "--trust"]),
        ("[linked.py]", ["linked.py is outside the run file's folder"]),
        ("[links]", ["links is outside the run file's folder"]),
        ("[my_objective.py, copy/my_objective.py]", ["two plugins are called 'my_objective'"]),
        ("[kerasdream.py]", ["two plugins are called 'kerasdream': built in and file"]),
    ],
)
def test_rejected_plugin_files(folder, here, monkeypatch, files, words):
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
    (line,) = err.splitlines()
    assert line.startswith("kerasdream: f.yaml:1:")
    for part in words:
        assert part in line


def test_plugin_file_named_twice_is_loaded_once(folder, here):
    text = (folder / "run.yaml").read_text().replace("[./my_objective.py]", "[my_objective.py, ./my_objective.py]")
    (folder / "f.yaml").write_text(text)
    assert here("validate", folder / "f.yaml", "--plugin", folder / "my_objective.py")[0] == 0


def test_json_schema_and_errors_of_a_plugin_objective(folder, here):
    schema = json.loads(here("schema", "--plugin", folder / "my_objective.py")[1])
    data = yaml.safe_load((folder / "run.yaml").read_text())
    allows = jsonschema.Draft202012Validator(schema).is_valid
    assert allows(data)
    for wrong in ({"layer": "c2", "gian": 1.0}, {"layer": "c2", "gain": "low"}, {"gain": 1.0}):
        assert not allows({**data, "objectives": [{"contrast": wrong}]})
    (folder / "f.yaml").write_text((folder / "run.yaml").read_text().replace("from: 0.5", "from: low"))
    assert (
        f"{folder / 'f.yaml'}:5:34: objectives.0.contrast.gain.from: expected a number"
        in here("validate", folder / "f.yaml")[2]
    )


@pytest.fixture
def many(folder):
    """A folder of plugin files next to the run file, and one that is a package."""
    (folder / "many").mkdir()
    for name in ("first", "second"):
        (folder / "many" / f"{name}.py").write_text(PART.format(name=name))
    for name in ("_helper.py", "test_first.py", "conftest.py", "setup.py"):
        (folder / "many" / name).write_text("raise RuntimeError('not a plugin')")
    (folder / "package").mkdir()
    (folder / "package" / "part.py").write_text(PART.format(name="third"))
    (folder / "package" / "__init__.py").write_text("from .part import register_postprocess\n")
    return folder


def test_folder_is_many_plugins_and_package_is_one(many, here, monkeypatch):
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


def test_plugin_option_accepts_any_path(folder, here, tmp_path):
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
        assert (code, err) == (0, f"plugin file: {tmp_path / 'moved.py'}\n" if command[0] == "plan" else "")
        assert "contrast" in out or command[0] == "plan", command
    code, out, err = here("list", "--plugin", tmp_path / "lost.py")
    assert (code, out, err) == (1, "", f"kerasdream: the plugin {tmp_path / 'lost.py'} does not exist\n")
    code, out, err = here("plugins", "--plugin", tmp_path / "lost.py")
    assert (code, err) == (0, "")
    assert f"lost.py (file {tmp_path / 'lost.py'}): broken: the plugin {tmp_path / 'lost.py'} does not exist" in out
    code, out, err = here("validate", folder / "f.yaml", "--plugin", tmp_path / "lost.py")
    assert err == f"kerasdream: --plugin {tmp_path / 'lost.py'}: the plugin {tmp_path / 'lost.py'} does not exist\n"


def test_trust_allows_plugins_outside_the_folder(folder, here):
    (folder / "my_objective.py").rename(folder.parent / "elsewhere.py")
    text = (folder / "run.yaml").read_text().replace("./my_objective.py", "../elsewhere.py")
    (folder / "f.yaml").write_text(text)
    assert here("validate", folder / "f.yaml")[0] == 1
    assert here("validate", folder / "f.yaml", "--trust")[0] == 0
    with pytest.raises(ConfigError, match="outside the run file's folder"):
        run(folder / "f.yaml")
    assert run(folder / "f.yaml", trust=True).paths == (folder / "photo-dream.png",)


def test_recipe_loads_plugins_only_with_trust_or_plugin_option(folder, here, tmp_path):
    marker = tmp_path / "it_ran"
    plugin = folder / "my_objective.py"
    plugin.write_text(f"open({str(marker)!r}, 'w')\n{plugin.read_text()}")
    (picture,) = run(folder / "run.yaml").paths
    marker.unlink()
    code, out, err = here("validate", picture)
    assert (code, out) == (1, "")
    (line,) = err.splitlines()
    assert "my_objective.py is a plugin, which is code that runs, so a recipe from a picture does not load it" in line
    assert "--plugin" in line
    assert "--trust" in line
    assert not marker.exists()
    assert here("validate", picture, "--trust")[:2] == (0, f"{picture}: ok\n")
    assert marker.exists()
    moved = plugin.rename(tmp_path / plugin.name)
    assert here("validate", picture, "--trust")[0] == 1
    assert here("validate", picture, "--plugin", moved)[0] == 0


def test_recipe_contains_plugin_checksums(folder, here, tmp_path):
    plugin, out = folder / "my_objective.py", tmp_path / "out"
    out.mkdir()
    result = run(folder / "run.yaml")
    assert result.manifest["plugins"] == {plugin.name: hashlib.sha256(plugin.read_bytes()).hexdigest()}
    assert parse(images.read_recipe(result.paths[0]), "recipe").data["plugins"] == result.manifest["plugins"]
    assert run(folder / "run.yaml", resume=True).timings == {}
    plugin.write_text(plugin.read_text() + "# changed\n")
    with pytest.raises(OutputError, match=r"different picture \(plugins.my_objective.py is \w+\.\.\., was \w+\.\.\.\)"):
        run(folder / "run.yaml", resume=True)
    code, _, err = here("validate", result.paths[0], "--trust")
    assert code == 1
    assert "my_objective.py is not the plugin that photo-dream.png was made with (its checksum differs)" in err
    assert here("validate", result.paths[0], "--plugin", plugin)[0] == 0


def test_plugin_checksum_covers_its_files(folder, tmp_path):
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


def test_output_receives_every_event(folder):
    (folder / "log.py").write_text(EVENTS)
    (folder / "log.yaml").write_text(
        "image: photo.png\nmodel: {file: tiny.keras, input_range: [-1, 1]}\nobjectives: {l2: c2}\n"
        "octaves: {count: 1, steps: 2}\nplugins: [log.py]\noutputs: [log]\n"
    )
    (path,) = run(folder / "log.yaml").paths
    assert path.read_text().split() == ["Started", "Stepped", "Stepped", "Finished"]
    (folder / "checked").mkdir()
    assert testing.check_output(plugin_files.module(folder / "log.py").log, folder=folder / "checked")


def test_run_accepts_plugin_paths(folder, monkeypatch):
    monkeypatch.chdir(folder)
    data = yaml.safe_load(Path("run.yaml").read_text())
    del data["plugins"]
    with pytest.raises(ConfigError, match="unknown objective 'contrast'"):
        run(data)
    assert run(data, plugins=["my_objective.py"]).scores
