"""The plugins in plugins/: each loads from its folder and is complete; tests/proof installs and uses them."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from kerasdream import images, testing
from kerasdream.plugins import manager as plugins

pytestmark = pytest.mark.no_cover

FOLDER = Path(__file__).parents[2] / "plugins"
PLUGINS = sorted(path.parent for path in FOLDER.glob("*/setup.cfg"))

REGISTERS = {
    "kerasdream-film-grain": ["postprocess/film_grain", "postprocess/film_grade"],
    "kerasdream-keras-hub": ["models/keras_hub"],
    "kerasdream-stages": ["outputs/webp", "outputs/contact_sheet"],
    "kerasdream-texture": ["objectives/texture"],
    "kerasdream-wavelets": ["priors/wavelet_sparsity", "priors/wavelet_shrinkage"],
}


def readme_run(path):
    """The first run file in a plugin's README."""
    text, *_ = re.findall(r"```yaml\n(.*?)```", (path / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return text


def test_every_plugin_is_known_and_listed():
    assert [path.name for path in PLUGINS] == sorted(REGISTERS)
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in PLUGINS:
        assert f"[{path.name}]({path.name}/README.md)" in text


def test_plugins_show_most_hooks():
    hooks = {
        hook
        for path in PLUGINS
        for plugin in plugins.discover([path], installed=False).plugins_at(path)
        for hook in plugin.hooks
    }
    wanted = {"objectives", "priors", "postprocess", "outputs", "models", "commands"}
    assert {f"register_{kind}" for kind in wanted} == hooks


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_plugin_loads_from_its_folder_and_is_complete(path):
    assert testing.check_plugin(path) == REGISTERS[path.name]
    names = {inner.name for inner in path.iterdir()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "tests"} <= names
    for part in REGISTERS[path.name]:
        assert part.partition("/")[2] in readme_run(path)


def test_film_grain_from_its_folder_in_a_run_file(here, folder, monkeypatch):
    monkeypatch.chdir(folder)
    shutil.copytree(FOLDER / "kerasdream-film-grain", "film", ignore=shutil.ignore_patterns("tests", "build"))
    text = readme_run(FOLDER / "kerasdream-film-grain").replace("photo.jpg", "photo.png")
    model = "model: {file: tiny.keras, input_range: [-1, 1]}\nobjectives: {l2: c2}\n"
    Path("film.yaml").write_text(f"plugins: [film]\n{model}{text}")
    code, _, err = here("run", "film.yaml", "-s", "octaves={count: 1, steps: 2}")
    assert code == 0, err
    assert "plugin file: film\n" in err
    assert images.read(folder / "photo-dream.png").pixels.shape == (40, 56, 3)
