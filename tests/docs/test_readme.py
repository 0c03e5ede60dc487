"""The README does what it says: its links, run files, Python and plugin."""

import re
from pathlib import Path

import pytest

import kerasdream
from kerasdream import images
from kerasdream.config.resolve import load
from kerasdream.plugins.manager import discover as load_plugins

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
YAML, PYTHON = (re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL) for kind in ("yaml", "python"))


@pytest.fixture
def here(tmp_path, monkeypatch, chelsea):
    """A folder with photo.jpg, and the present one."""
    images.save(tmp_path / "photo.jpg", chelsea[100:196, 100:228], format="jpeg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_links_lead_somewhere():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(targets) > 8
    for target in targets:
        assert (ROOT / target).exists(), target


def test_the_big_run_file_runs(here):
    (here / "run.yaml").write_text(YAML[0])
    result = kerasdream.run(load(here / "run.yaml", ["octaves.steps=2"]))
    assert result.paths == (here / "photo-dream.png",)


def test_the_preset_runs(here):
    (here / "run.yaml").write_text(next(block for block in YAML if block.startswith("preset:")))
    result = kerasdream.run(load(here / "run.yaml", ["octaves.steps=2"]))
    assert len(result.scores) == 2 * 4 - 2 * ("dropped" in str(result.notes))


def test_the_first_plugin_is_valid(here):
    plugin = next(block for block in PYTHON if block.startswith("# sparkle.py"))
    (here / "sparkle.py").write_text(plugin)
    (here / "sparkle.yaml").write_text(next(block for block in YAML if block.startswith("# sparkle.yaml")))
    (entry,) = load(here / "sparkle.yaml").objectives
    assert entry.make().layers == ("block8_expand",)
    assert sum(bool(line.strip()) for line in plugin.splitlines()) <= 10


@pytest.mark.parametrize("number", [i for i, block in enumerate(PYTHON) if "hookimpl" not in block])
def test_the_python_runs(number, here):
    names: dict = {}
    exec(compile(PYTHON[number], "README.md", "exec"), names)
    assert "result" in names or names["gradient"].shape == (300, 400, 3)


def test_every_command_it_names_exists():
    from kerasdream.cli.main import cli

    for command in set(re.findall(r"^(?:\.venv/bin/)?kerasdream ([\w-]+)", README, re.MULTILINE)):
        assert command in cli.commands, command


def test_every_built_in_part_is_in_the_readme_or_changelog():
    text = README + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8") + (ROOT / "configs" / "README.md").read_text()
    for registration in load_plugins().registry:
        if registration.kind not in ("models",):
            assert f"`{registration.name}`" in text or f"{registration.name}:" in text, registration


def test_the_gallery_was_made_by_the_program():
    for picture in (ROOT / "docs" / "gallery").glob("*.jpg"):
        assert picture.stat().st_size < 300_000, picture
        assert (images.read_recipe(picture) is None) == (picture.stem == "raccoon"), picture
