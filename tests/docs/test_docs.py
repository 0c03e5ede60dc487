"""The pages in docs: run files are valid and the first of each page runs; commands, links and modules exist."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest

import kerasdream
from kerasdream import images
from kerasdream.config.checks import missing_files
from kerasdream.plan import plan
from kerasdream.plan import tile_size as tuning
from kerasdream.plan.tile_size import RULES

pytestmark = pytest.mark.no_cover

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    str(page.relative_to(DOCS)): page.read_text(encoding="utf-8")
    for page in sorted([*DOCS.glob("*.md"), *DOCS.glob("catalogue/*.md")])
}


def blocks(language):
    """Return (page, text) of every fenced block in a language."""
    return [
        (page, found) for page, text in PAGES.items() for found in re.findall(rf"```{language}\n(.*?)```", text, re.S)
    ]


RUN_FILES = blocks("yaml")
FIRST = dict(reversed(RUN_FILES))
"""The first run file of each page."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory, chelsea, my_own_model):
    """A folder with the files that the run files name."""
    folder = tmp_path_factory.mktemp("docs")
    mask = np.linspace(-1, 1, 64 * 80, dtype="float32").reshape(64, 80, 1).repeat(3, 2)
    images.save(folder / "photo.jpg", chelsea[100:164, 100:180], format="jpeg")
    images.save(folder / "guide.jpg", chelsea[40:104, 200:280], format="jpeg")
    images.save(folder / "mask.png", mask, format="png")
    np.save(folder / "stripes.npy", np.ones(480, "float32"))
    shutil.copy(my_own_model, folder)
    return folder


@pytest.mark.parametrize(("page", "text"), RUN_FILES, ids=[f"{page}-{n}" for n, (page, _) in enumerate(RUN_FILES)])
def test_run_files_are_valid(page, text, folder):
    (folder / "run.yaml").write_text(text)
    config = kerasdream.load_config(folder / "run.yaml")
    assert list(missing_files(config.entries)) == []
    for part in config.entries:
        if part is not config.model:
            part.make()


@pytest.mark.parametrize("page", FIRST)
def test_the_first_run_file_of_a_page_runs(page, folder, tmp_path):
    (folder / "run.yaml").write_text(FIRST[page])
    small = ["octaves={count: 1, steps: 1}"]
    if not re.search("^(objectives|preset):", FIRST[page], re.MULTILINE):
        small.append("objectives={l2: block1_expand}")
    if "frames:" in FIRST[page]:
        small.append("frames.count=2")
    config = kerasdream.load_config(folder / "run.yaml", small)
    result = kerasdream.run(config, folder=tmp_path)
    assert all(path.is_file() for path in result.paths)


def test_run_files_of_own_networks_run(own_models, tmp_path, chelsea):
    images.save(own_models / "photo.jpg", chelsea[100:164, 100:180], format="jpeg")
    texts = [text for page, text in RUN_FILES if page == "own-network.md"]
    named = {text: re.search(r"file: (\w+\.keras)", text) for text in texts}
    runs = [text for text, name in named.items() if name and (own_models / name[1]).exists()]
    assert len(runs) == len(list(own_models.glob("*.keras")))
    for text in runs:
        (own_models / "run.yaml").write_text(text)
        config = kerasdream.load_config(own_models / "run.yaml", ["octaves={count: 1, steps: 1}", "seed=0"])
        assert kerasdream.run(config, folder=tmp_path, overwrite=True).paths


PYTHON = [text for page, text in blocks("python") if page == "python.md"]


@pytest.mark.parametrize("text", PYTHON, ids=range(len(PYTHON)))
def test_python_runs(text, folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo.jpg").symlink_to(folder / "photo.jpg")
    names: dict = {}
    exec(compile(text, "docs/python.md", "exec"), names)
    written = sorted(path.name for path in tmp_path.rglob("*.png"))
    assert written == ["epoch-0002.png", "epoch-0004.png"] * ("see" in names) + ["dream.png"] * ("save" in text)


def test_commands_parse():
    from kerasdream.cli.main import cli

    for page, text in blocks("sh"):
        for line in text.splitlines():
            program, name, *arguments = shlex.split(line, comments=True)
            assert program == "kerasdream", (page, line)
            cli.commands[name].make_context(name, arguments)


def test_tile_rules_are_in_the_format_that_tune_writes():
    (rules,) = [RULES.validate_json(text) for page, text in blocks("json") if page == "engine.md"]
    assert rules["inception_v3"].size


def test_links_and_modules_exist():
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or ((DOCS / page).parent / target).exists(), (page, target)
        for module in re.findall(r"`(kerasdream/[\w/]+\.py)`", text):
            assert (DOCS.parent / module).is_file(), module


def test_engine_page_has_the_limits_of_the_program():
    page = PAGES["engine.md"]
    assert f"between {tuning.SMALLEST} and {tuning.LARGEST} pixels" in page
    assert f"at most {tuning.MOST // 2**20} MB" in page
    assert f"down to {plan.SMALLEST_VIEW}²" in page
