"""From nothing to a plugin that is installed, listed, used from a run file and tested, without touching kerasdream."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from functools import partial
from pathlib import Path

import pytest

from kerasdream.images import read
from kerasdream.plugins.scaffold import LICENSES, WHAT, rendered

ROOT = Path(__file__).parents[2]


def files_in(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_it_writes_all_that_a_distribution_needs(here, tmp_path):
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
def test_what_it_writes_is_clean(here, tmp_path, kind):
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
def test_it_refuses(here, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    Path("kerasdream-there").mkdir()
    code, out, err = here("new-plugin", *arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert [path.name for path in tmp_path.iterdir()] == ["kerasdream-there"]


def test_the_licenses_are_what_they_are_called():
    assert LICENSES == ("MIT", "Apache-2.0")
    assert rendered("licenses", "Apache-2.0") == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert rendered("licenses", "MIT", year="2030", author="Ada").startswith("MIT License\n\nCopyright (c) 2030 Ada\n")


@pytest.mark.slow
def test_what_is_installed_has_all_that_it_needs(tmp_path):
    """The wheel holds every file of the package that is not Python: templates, the photo, the layer tables."""
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    shutil.copytree(ROOT / "kerasdream", tmp_path / "kerasdream", ignore=shutil.ignore_patterns("__pycache__"))
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "out", "."]
    subprocess.run(command, cwd=tmp_path, check=True)
    (wheel,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if name.startswith("kerasdream/")}
    assert packed == {f"kerasdream/{name}" for name in files_in(tmp_path / "kerasdream")}


@pytest.fixture(scope="module")
def environment(fresh_environment):
    return fresh_environment()


@pytest.mark.parametrize(
    "kind", [kind if kind == "objectives" else pytest.param(kind, marks=pytest.mark.slow) for kind in WHAT]
)
def test_from_nothing_to_a_published_plugin(environment, tmp_path, kind):
    name = f"sparkle_{kind}" if kind != "objectives" else "sparkle"
    kerasdream = partial(environment.call, "-m", "kerasdream", cwd=tmp_path)
    kerasdream("new-plugin", name, "--kind", WHAT[kind].split()[0])
    (folder,) = tmp_path.iterdir()
    environment.install("--editable", folder, "--no-deps", "--no-index")
    (row,) = [row for row in json.loads(kerasdream("plugins", "--json")) if row["name"] == name]
    assert (row["state"], row["distribution"], row["version"]) == ("loaded", folder.name, "0.1.0")
    if kind == "commands":
        assert kerasdream("sparkle-commands", ROOT / "configs" / "photos" / "raccoon.jpg")
    else:
        assert row["registers"] == [f"{kind}/{name}"]
        assert f"  {name} " in kerasdream("list", kind)
        kerasdream("run", folder / "example.yaml", "-o", "out", "-s", "octaves.steps=2")
        assert read(tmp_path / "out" / "noise-dream.png").pixels.shape == (256, 256, 3)
    environment.call("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder)
