"""The README is right: its links, commands, run files, Python, plugin and architecture."""

import re
from pathlib import Path

import pytest

import kerasdream
from kerasdream import images
from kerasdream.config.resolve import load
from kerasdream.plugins.manager import discover as load_plugins

pytestmark = pytest.mark.no_cover

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
YAML, PYTHON = (re.findall(rf"```{kind}\n(.*?)```", README, re.DOTALL) for kind in ("yaml", "python"))


@pytest.fixture
def here(tmp_path, monkeypatch, chelsea):
    """The current folder, which contains photo.jpg."""
    images.save(tmp_path / "photo.jpg", chelsea[100:164, 100:180], format="jpeg")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_links_exist():
    targets = re.findall(r"\]\(([^)#]+)(?:#[\w-]+)?\)", README)
    assert len(targets) > 8
    for target in targets:
        assert (ROOT / target).exists(), target


def test_run_file_runs(here):
    (here / "run.yaml").write_text(YAML[0])
    result = kerasdream.run(load(here / "run.yaml", ["octaves.steps=2"]))
    assert result.paths == (here / "photo-dream.png",)


def test_preset_is_valid(here):
    (here / "run.yaml").write_text(next(block for block in YAML if block.startswith("preset:")))
    assert load(here / "run.yaml").octaves.steps == 15


def test_plugin_is_valid_and_short(here):
    plugin = next(block for block in PYTHON if block.startswith("# sparkle.py"))
    (here / "sparkle.py").write_text(plugin)
    (here / "sparkle.yaml").write_text(next(block for block in YAML if block.startswith("# sparkle.yaml")))
    (entry,) = load(here / "sparkle.yaml").objectives
    assert entry.make().layers == ("block8_expand",)
    assert sum(bool(line.strip()) for line in plugin.splitlines()) <= 10


@pytest.mark.parametrize("number", [i for i, block in enumerate(PYTHON) if "hookimpl" not in block])
def test_python_runs(number, here):
    names: dict = {}
    exec(compile(PYTHON[number], "README.md", "exec"), names)
    assert "result" in names or names["gradient"].shape == (300, 400, 3)


def test_commands_exist():
    from kerasdream.cli.main import cli

    for command in set(re.findall(r"^(?:\.venv/bin/)?kerasdream ([\w-]+)", README, re.MULTILINE)):
        assert command in cli.commands, command


def test_make_targets_exist_and_come_first():
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^make (\w+)", README, re.MULTILINE)
    assert targets[:2] == ["demo", "test"]
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_environment_is_activated_before_it_is_used():
    commands = re.findall(r"^(?:kerasdream |\. \.venv).*", README, re.MULTILINE)
    assert commands[0] == ". .venv/bin/activate"


def test_architecture_lists_every_package_and_only_existing_paths():
    package = Path(kerasdream.__file__).parent
    text = README.partition("## Architecture")[2].partition("## License")[0]
    listed = re.findall(r"^\| `(\w+)/` \|", text, re.MULTILINE)
    packages = {path.parent.name for path in package.glob("*/__init__.py")}
    assert len(listed) == len(set(listed)) == 13
    assert set(listed) == packages - {"callbacks"}
    for path in re.findall(r"`([\w/]+(?:\.py|/))`", text):
        assert any((folder / path).exists() for folder in (ROOT, package, *package.glob("*/"))), path


def test_every_built_in_part_is_in_readme_or_changelog():
    text = README + (ROOT / "CHANGELOG.md").read_text(encoding="utf-8") + (ROOT / "configs" / "README.md").read_text()
    for registration in load_plugins().registry:
        if registration.kind not in ("models",):
            assert f"`{registration.name}`" in text or f"{registration.name}:" in text, (
                f"add a line about `{registration.name}` to CHANGELOG.md"
            )


def test_gallery_pictures_contain_their_recipe():
    for picture in (ROOT / "docs" / "gallery").glob("*.jpg"):
        assert picture.stat().st_size < 300_000, picture
        assert (images.read_recipe(picture) is None) == (picture.stem == "raccoon"), picture
