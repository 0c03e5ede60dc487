"""The plugin pages: one for every hook; its example is what new-plugin writes, is valid, passes its tests and works."""

from __future__ import annotations

import inspect
import json
import re
import sys
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import pytest

import kerasdream
from kerasdream import hookspecs, images, testing
from kerasdream.plugins import manager as plugins
from kerasdream.plugins import registry
from kerasdream.plugins.manager import HOOKS
from kerasdream.plugins.scaffold import rendered

pytestmark = pytest.mark.no_cover

DOCS = Path(__file__).parents[2] / "docs" / "plugins"
PAGES = {page.stem: page.read_text(encoding="utf-8") for page in sorted(DOCS.glob("*.md"))}
KINDS = [hook.removeprefix("register_") for hook in HOOKS]
SMALL = ["octaves.steps=2", "octaves.count=1", "image.size=[64, 64]"]


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the file that its first line names."""

    language: str
    text: str

    @property
    def file(self):
        named = re.match(r"# (\S+\.(?:py|yaml))\b", self.text)
        return named[1] if named else None


def blocks(page):
    return [Block(*found) for found in re.findall(r"```(\w*)\n(.*?)```", PAGES[page], re.DOTALL)]


@pytest.fixture
def written(tmp_path, monkeypatch):
    """Writes the files of a page into a folder, which is the present one and can be imported from."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)

    def write(page):
        for block in blocks(page):
            if block.file:
                Path(block.file).write_text(block.text, encoding="utf-8")

    before = set(sys.modules)
    yield write
    for name in set(sys.modules) - before:
        if getattr(sys.modules[name], "__file__", None) and str(tmp_path) in str(sys.modules[name].__file__):
            del sys.modules[name]


# Every hook has a page, an example, and a test here


def test_every_hook_has_a_page_with_an_example():
    assert [*sorted(KINDS), "README"] == sorted(PAGES, key=lambda page: (page == "README", page))
    for kind in KINDS:
        assert f"`register_{kind}`" in PAGES[kind].splitlines()[0]
        assert f"[`register_{kind}`]({kind}.md)" in PAGES["README"]
        (plugin,) = [block for block in blocks(kind) if "@hookimpl" in block.text]
        assert f"def register_{kind}(" in plugin.text
        assert "\n## What to know\n" in PAGES[kind]
        assert (getattr(hookspecs, f"register_{kind}").__doc__ or "").strip()


def test_every_hook_has_a_test():
    here = globals()
    for hook in HOOKS:
        assert callable(here.get(f"test_{hook}")), f"write test_{hook} here, and what the hook is for in it"


def test_every_check_is_on_its_page():
    for check in (name for name in testing.__all__ if name.startswith("check_")):
        assert any(f"{check}(" in text for text in PAGES.values()), check


def test_every_public_part_is_documented():
    for made in {one for kinds in registry.MAKES.values() for one in kinds}:
        assert any(f"kerasdream.{made.__name__}(" in text for text in PAGES.values()), made


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_is_what_new_plugin_writes(kind):
    (plugin,) = [block for block in blocks(kind) if "@hookimpl" in block.text]
    name = plugin.file.removesuffix(".py")
    assert plugin.text.partition("\n")[2] == rendered(kind, "module.py", name=name, command=name)


# Every code block is valid


@pytest.mark.parametrize("page", PAGES)
def test_every_block_names_its_file(page):
    for block in blocks(page):
        assert block.language in ("", "sh", "ini", "python", "yaml"), block
        assert block.file or block.language not in ("python", "yaml"), f"name the file in the first line: {block.text}"


@pytest.mark.parametrize("page", PAGES)
def test_every_run_file_is_used_by_a_command(page):
    commands = "\n".join(block.text for block in blocks(page) if block.language == "sh")
    for block in blocks(page):
        assert block.language != "yaml" or f"kerasdream run {block.file}\n" in commands


@pytest.mark.parametrize("page", PAGES)
def test_the_tests_of_the_page_pass(page, written, tmp_path):
    written(page)
    ran = 0
    for block in blocks(page):
        if block.language == "python" and block.file.startswith("test_"):
            for name, test in inspect.getmembers(import_module(block.file.removesuffix(".py")), inspect.isfunction):
                if name.startswith("test_"):
                    (tmp_path / name).mkdir()
                    test(*([tmp_path / name] if inspect.signature(test).parameters else []))
                    ran += 1
    assert ran


@pytest.mark.parametrize("page", PAGES)
def test_commands_work(page, written, here):
    """Run files are only validated here, except the README's: the pages' are run below."""
    written(page)
    for block in blocks(page):
        for line in block.text.splitlines() if block.language == "sh" else ():
            program, *arguments = line.split()
            assert program == "kerasdream", line
            if arguments[0] == "run" and page == "README":
                arguments += [f"--set={override}" for override in SMALL] + ["--quiet"]
            elif arguments[0] == "run":
                arguments[0] = "validate"
            code, _, err = here(*arguments)
            assert code == 0, err
            assert page != "README" or arguments[0] != "run" or list(Path().glob("*-dream.png"))


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)\)", PAGES[page]):
        assert target.startswith("https://") or (DOCS / target).exists(), target


def test_the_error_shown_in_the_readme_is_the_real_one(written, tmp_path):
    written("README")
    plugin = Path("loud.py")
    plugin.write_text(plugin.read_text().replace("ops.mean(ops.abs(a[layer]) ** power, axis=-1)", "a[layer]"))
    with pytest.raises(kerasdream.PluginError) as caught:
        kerasdream.run(kerasdream.load_config("loud.yaml", SMALL))
    (shown,) = [block.text for block in blocks("README") if block.text.startswith("objectives.0.loud")]
    assert str(caught.value) == shown.replace("\n", " ").strip().replace("/home/ada", str(tmp_path))


# Each hook does what it is for, with the plugin of its page


@pytest.fixture
def used(written, tiny):
    """Dreams the page's run file, with a small network where the network is not the point."""

    def dream(kind, *overrides):
        written(kind)
        tiny.save("tiny.keras")
        small = ["model={file: tiny.keras, input_range: [-1, 1]}", "objectives={l2: c2}"]
        if kind in ("objectives", "models"):
            small = []
        (run_file,) = [block.file for block in blocks(kind) if block.language == "yaml"]
        return kerasdream.run(kerasdream.load_config(run_file, [*SMALL, *small, *overrides]), overwrite=True)

    return dream


def saturation(picture):
    return (picture.max(axis=-1) - picture.min(axis=-1)).mean()


def test_register_objectives(used):
    result = used("objectives", "octaves.steps=5")
    assert result.scores[-1] > result.scores[0]
    assert result.manifest["recipe"]["objectives"][0]["sparkle"]["layer"] == "block8_expand"


def test_register_priors(used):
    muted, vivid = (
        used("priors", f"priors=[{{muted: {{weight: {weight}}}}}]", "octaves.steps=8") for weight in (500, 0)
    )
    assert saturation(muted.image) < 0.9 * saturation(vivid.image)


def test_register_parametrizations(used):
    fast = "ascent=[{normalize: mean_abs}, {rate: 0.3}]"
    assert abs(used("parametrizations", fast).image).max() < 1
    assert abs(used("parametrizations", fast, "parametrization=pixels").image).max() == 1  # clipped


def test_register_transforms(used):
    varied, plain = used("transforms"), used("transforms", "transforms=[{jitter: {pixels: 32}}]")
    assert (varied.image != plain.image).any()


def test_register_ascent(used):
    plain = "ascent=[{normalize: mean_abs}, {rate: 0.02}]"
    assert abs(used("ascent").image - used("ascent", plain).image).max() > 1e-3


def test_register_postprocess(used):
    dark, plain = used("postprocess").image, used("postprocess", "postprocess=[]").image
    assert dark[:8, :8].mean() < plain[:8, :8].mean() - 0.3
    assert abs(dark[30:34, 30:34] - plain[30:34, 30:34]).max() < 0.01


def test_register_outputs(used):
    picture, table = used("outputs").paths
    assert images.read_recipe(picture)
    assert [line.partition(",")[0] for line in table.read_text().splitlines()] == ["octave", "1", "1"]


def test_register_models(used):
    result = used("models", "octaves.steps=5")
    assert result.manifest["recipe"]["model"] == {"name": "edges", "orientations": 6}
    assert result.scores[-1] > result.scores[0]


def test_register_commands(written, here):
    import click

    written("commands")
    cli = click.Group("kerasdream")
    (plugin,) = plugins.discover([Path("measure.py")], cli=cli).plugins_at(Path("measure.py"))
    assert (plugin.error, plugin.hooks) == ("", ["register_commands"])
    assert list(cli.commands) == ["measure"]
    code, out, _ = here("plugins", "--json", "--plugin", "measure.py")
    assert code == 0
    assert json.loads(out)[-1]["hooks"] == ["register_commands"]
