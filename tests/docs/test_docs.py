"""The pages in docs: their run files are valid and run, their links lead somewhere, their commands exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import kerasdream
from kerasdream import images
from kerasdream.config.resolve import load
from kerasdream.plan import plan
from kerasdream.plan import tile_size as tuning
from kerasdream.plan.tile_size import RULES

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {
    str(page.relative_to(DOCS)): page.read_text(encoding="utf-8")
    for page in sorted([*DOCS.glob("*.md"), *DOCS.glob("catalogue/*.md")])
}


def blocks(language):
    """(page, text) of every fenced block in a language."""
    return [
        (page, found) for page, text in PAGES.items() for found in re.findall(rf"```{language}\n(.*?)```", text, re.S)
    ]


@pytest.mark.parametrize(("page", "text"), blocks("yaml"))
def test_run_files_run(page, text, tmp_path, chelsea):
    images.save(tmp_path / "photo.jpg", chelsea[100:164, 100:180], format="jpeg")
    images.save(tmp_path / "guide.jpg", chelsea[40:104, 200:280], format="jpeg")
    images.save(
        tmp_path / "mask.png",
        np.linspace(-1, 1, 64 * 80).reshape(64, 80, 1).repeat(3, 2).astype("float32"),
        format="png",
    )
    (tmp_path / "run.yaml").write_text(text)
    load(tmp_path / "run.yaml")
    result = kerasdream.run(load(tmp_path / "run.yaml", ["octaves={count: 1, steps: 1}"]))
    assert all(path.is_file() for path in result.paths)


def test_commands_are_as_the_command_line_has_them():
    from kerasdream.cli.main import cli

    for page, text in blocks("sh"):
        for line in text.splitlines():
            program, name, *arguments = shlex.split(line, comments=True)
            assert program == "kerasdream", (page, line)
            cli.commands[name].make_context(name, arguments)  # parses them


def test_rules_are_as_tune_writes_them():
    (rules,) = [RULES.validate_json(text) for page, text in blocks("json") if page == "engine.md"]
    assert rules["inception_v3"].size


def test_links_and_modules_are_there():
    for page, text in PAGES.items():
        for target in re.findall(r"\]\(([^)#]+)\)", text):
            assert target.startswith("https://") or ((DOCS / page).parent / target).exists(), (page, target)
        for module in re.findall(r"`(kerasdream/[\w/]+\.py)`", text):
            assert (DOCS.parent / module).is_file(), module


def test_the_numbers_in_the_page_on_the_engine_are_those_of_the_program():
    page = PAGES["engine.md"]
    assert f"between {tuning.SMALLEST} and {tuning.LARGEST} pixels" in page
    assert f"at most {tuning.MOST // 2**20} MB" in page
    assert f"down to {plan.SMALLEST_VIEW}²" in page
