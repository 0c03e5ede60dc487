"""The plugins in plugins/: each loads, and each is installed as a distribution and used, in a fresh environment."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from kerasdream import images, testing
from kerasdream.plugins import manager as plugins

FOLDER = Path(__file__).parents[2] / "plugins"
PLUGINS = sorted(path.parent for path in FOLDER.glob("*/setup.cfg"))

REGISTERS = {
    "kerasdream-film-grain": ["postprocess/film_grain", "postprocess/film_grade"],
    "kerasdream-keras-hub": ["models/keras_hub"],
    "kerasdream-stages": ["outputs/webp", "outputs/contact_sheet"],
    "kerasdream-texture": ["objectives/texture"],
    "kerasdream-wavelets": ["priors/wavelet_sparsity", "priors/wavelet_shrinkage"],
}
WRITES = {
    "kerasdream-stages": {"photo-dream.png", "photo-dream.webp", "photo-stages.png"},
}
"""What a run of the README's run file writes, where it is not the dream alone."""

SMALL = ["-s", "octaves={count: 2, steps: 2}", "-s", "image.max_side=96"]

PRESET = """\
import keras_hub
stacks = {"stackwise_num_filters": [64, 64, 64], "stackwise_num_blocks": [1, 1, 4], "stackwise_num_strides": [1, 2, 2]}
stem = {"input_conv_filters": [64], "input_conv_kernel_sizes": [7]}
keras_hub.models.ResNetBackbone(**stem, **stacks, block_type="basic_block").save_to_preset("resnet")
keras_hub.layers.ImageConverter(scale=1 / 255).save_to_preset("resnet")
"""


def readme_run(path):
    (text,) = re.findall(r"```yaml\n(.*?)```", (path / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return text


def test_all_of_them_are_known_and_listed():
    assert [path.name for path in PLUGINS] == sorted(REGISTERS)
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    for path in PLUGINS:
        assert f"[{path.name}]({path.name}/README.md)" in text


def test_they_show_every_hook_that_makes_something_of_its_own():
    hooks = {
        hook
        for path in PLUGINS
        for plugin in plugins.discover([path], installed=False).plugins_at(path)
        for hook in plugin.hooks
    }
    wanted = {"objectives", "priors", "postprocess", "outputs", "models", "commands"}
    assert {f"register_{kind}" for kind in wanted} == hooks


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_each_loads_from_its_folder_and_has_what_a_distribution_needs(path):
    assert testing.check_plugin(path) == REGISTERS[path.name]
    names = {inner.name for inner in path.iterdir()}
    assert {"setup.cfg", "pyproject.toml", "README.md", "tests"} <= names
    for part in REGISTERS[path.name]:
        assert part.partition("/")[2] in readme_run(path)


def test_film_from_its_folder_in_a_run_file(process, tmp_path, chelsea):
    shutil.copytree(
        FOLDER / "kerasdream-film-grain", tmp_path / "film", ignore=shutil.ignore_patterns("tests", "build")
    )
    images.save(tmp_path / "photo.jpg", chelsea[:64, :64], format="jpeg")
    (tmp_path / "run.yaml").write_text(f"plugins: [film]\n{readme_run(FOLDER / 'kerasdream-film-grain')}")
    done = process("run", "run.yaml", *SMALL, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "plugin file: film\n" in done.stderr
    assert images.read(tmp_path / "photo-dream.png").pixels.shape == (64, 64, 3)


@pytest.mark.proof
@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_each_is_installed_tested_and_run_alone(path, fresh_environment, tmp_path, chelsea):
    if path.name == "kerasdream-keras-hub" and sys.version_info < (3, 11):
        pytest.skip("KerasHub needs Python 3.11")
    source = shutil.copytree(path, tmp_path / path.name, ignore=shutil.ignore_patterns("build", "*.egg-info"))
    environment = fresh_environment()
    environment.install(source)
    rows = json.loads(environment.call("-m", "kerasdream", "plugins", "--json", cwd=tmp_path))
    (row,) = [row for row in rows if row["distribution"] == path.name]
    assert (row["state"], row["registers"], row["notes"]) == ("loaded", REGISTERS[path.name], [])
    environment.call("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=source)

    images.save(tmp_path / "photo.jpg", chelsea[100:220, 100:260], format="jpeg")
    (tmp_path / "run.yaml").write_text(readme_run(path))
    options = list(SMALL)
    if path.name == "kerasdream-texture":
        environment.call("-m", "kerasdream", "texture", "photo.jpg", "-o", "brickwork.npz", cwd=tmp_path)
    if path.name == "kerasdream-keras-hub":
        environment.call("-c", PRESET, cwd=tmp_path)
        options += ["-s", "model={name: keras_hub, folder: resnet}"]
    environment.call("-m", "kerasdream", "run", "run.yaml", "-o", "out", *options, cwd=tmp_path)
    assert {file.name for file in (tmp_path / "out").iterdir()} == WRITES.get(path.name, {"photo-dream.png"})
    assert images.read_recipe(tmp_path / "out" / "photo-dream.png")
