"""The files that ``kerasdream new-plugin`` writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from kerasdream import load_config
from kerasdream.plugins.scaffold import LICENSES, WHAT, rendered
from kerasdream.testing import check_plugin

ROOT = Path(__file__).parents[2]


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_files_of_a_distribution(here, tmp_path):
    code, out, err = here("new-plugin", "sparkle", "-o", tmp_path, "--author", "Ada Lovelace")
    folder = tmp_path / "kerasdream-sparkle"
    assert code == 0
    assert files_in(tmp_path) == [
        f"kerasdream-sparkle/{name}"
        for name in (
            "LICENSE",
            "README.md",
            "example.yaml",
            "kerasdream_sparkle.py",
            "pyproject.toml",
            "setup.cfg",
            "tests/test_sparkle.py",
        )
    ]
    assert out.splitlines() == [str(tmp_path / name) for name in files_in(tmp_path)]
    assert f"cd {folder}" in err
    assert "Copyright (c)" in (folder / "LICENSE").read_text()
    assert "Ada Lovelace" in (folder / "LICENSE").read_text()
    assert "author = Ada Lovelace" in (folder / "setup.cfg").read_text()
    assert not any("$" in path.read_text() for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("kind", WHAT)
def test_generated_code_passes_ruff(here, tmp_path, kind):
    name = {"commands": "measure"}.get(kind, "sparkle")
    assert here("new-plugin", name, "-o", tmp_path, "--kind", WHAT[kind].split()[0])[0] == 0
    ruff = [Path(sys.executable).parent / "ruff"]
    rules = ["--isolated", "--line-length", "120"]
    (folder,) = tmp_path.iterdir()
    subprocess.run([*ruff, "format", "--check", *rules, "."], cwd=folder, check=True, capture_output=True)
    subprocess.run([*ruff, "check", "--select", "E,F,W,I,UP,B", *rules, "."], cwd=folder, check=True)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["Sparkle!"], "'Sparkle!' is not a valid plugin name; expected lower-case letters"),
        (["class"], "'class' is not a valid plugin name"),
        (["l2"], "the objective 'l2' of plugin 'kerasdream' at"),
        (["there"], "kerasdream-there already exists; remove it, or choose another name or folder"),
        (["sparkle", "--kind", "prio"], "unknown kind 'prio'; did you mean 'prior'?"),
    ],
)
def test_invalid_names_and_existing_folders_are_rejected(here, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("kerasdream-there").mkdir()
    code, out, err = here("new-plugin", *arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert [path.name for path in tmp_path.iterdir()] == ["kerasdream-there"]


def test_license_texts():
    assert LICENSES == ("MIT", "Apache-2.0")
    assert rendered("licenses", "Apache-2.0") == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert rendered("licenses", "MIT", year="2030", author="Ada").startswith("MIT License\n\nCopyright (c) 2030 Ada\n")


@pytest.mark.parametrize("kind", WHAT)
def test_scaffolded_plugin_loads_and_its_example_is_valid(here, tmp_path, kind):
    """tests/proof installs it, runs its example and its tests."""
    name = {"commands": "measure"}.get(kind, "sparkle")
    assert here("new-plugin", name, "-o", tmp_path, "--kind", WHAT[kind].split()[0])[0] == 0
    (folder,) = tmp_path.iterdir()
    module = folder / f"kerasdream_{name}.py"
    assert check_plugin(module) == ([] if kind == "commands" else [f"{kind}/{name}"])
    if kind != "commands":
        config = load_config(folder / "example.yaml", plugins=[module])
        assert name in str(config.data)
