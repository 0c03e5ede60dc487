"""Plugins as distributions: the first-party ones, and one of each kind that new-plugin writes, installed and used."""

from __future__ import annotations

import json
import re
import shutil
import sys
from pathlib import Path

import pytest

from kerasdream import images
from kerasdream.plugins.scaffold import WHAT

pytestmark = pytest.mark.proof

ROOT = Path(__file__).parents[2]
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/setup.cfg"))
if sys.version_info < (3, 11):
    PLUGINS = [path for path in PLUGINS if path.name != "kerasdream-keras-hub"]  # KerasHub needs Python 3.11
NAMES = {kind: "sparkle" if kind == "objectives" else f"sparkle_{kind}" for kind in WHAT}

WRITES = {"kerasdream-stages": {"photo-dream.png", "photo-dream.webp", "photo-stages.png"}}
"""The files written by a README's run file, where that is not the dream alone."""

SMALL = ["-s", "octaves={count: 2, steps: 2}", "-s", "image.max_side=96"]

PRESET = """\
import keras_hub
stacks = {"stackwise_num_filters": [64, 64, 64], "stackwise_num_blocks": [1, 1, 4], "stackwise_num_strides": [1, 2, 2]}
stem = {"input_conv_filters": [64], "input_conv_kernel_sizes": [7]}
keras_hub.models.ResNetBackbone(**stem, **stacks, block_type="basic_block").save_to_preset("resnet")
keras_hub.layers.ImageConverter(scale=1 / 255).save_to_preset("resnet")
"""


@pytest.fixture(scope="module")
def first_party(fresh_environment, tmp_path_factory):
    """An environment with all first-party plugins, and the folder of their sources."""
    folder = tmp_path_factory.mktemp("first_party")
    ignored = shutil.ignore_patterns("build", "*.egg-info")
    environment = fresh_environment()
    environment.install(*(shutil.copytree(path, folder / path.name, ignore=ignored) for path in PLUGINS))
    return environment, folder


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.name)
def test_first_party_plugin_is_installed_tested_and_run(path, first_party, tmp_path, chelsea):
    environment, folder = first_party
    rows = json.loads(environment.call("-m", "kerasdream", "plugins", "--json", cwd=tmp_path))
    (row,) = [row for row in rows if row["distribution"] == path.name]
    assert (row["state"], row["notes"]) == ("loaded", [])
    assert row["registers"]
    environment.call("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=folder / path.name)

    images.save(tmp_path / "photo.jpg", chelsea[100:220, 100:260], format="jpeg")
    (run_file,) = re.findall(r"```yaml\n(.*?)```", (path / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "run.yaml").write_text(run_file)
    options = list(SMALL)
    if path.name == "kerasdream-texture":
        environment.call("-m", "kerasdream", "texture", "photo.jpg", "-o", "brickwork.npz", cwd=tmp_path)
    if path.name == "kerasdream-keras-hub":
        environment.call("-c", PRESET, cwd=tmp_path)
        options += ["-s", "model={name: keras_hub, folder: resnet}"]
    environment.call("-m", "kerasdream", "run", "run.yaml", "-o", "out", *options, cwd=tmp_path)
    assert {file.name for file in (tmp_path / "out").iterdir()} == WRITES.get(path.name, {"photo-dream.png"})
    assert images.read_recipe(tmp_path / "out" / "photo-dream.png")


@pytest.fixture(scope="module")
def scaffolded(fresh_environment, tmp_path_factory):
    """An environment with a plugin of each kind that new-plugin writes, and the folder of their sources."""
    folder = tmp_path_factory.mktemp("scaffolded")
    environment = fresh_environment()
    for kind, name in NAMES.items():
        environment.call("-m", "kerasdream", "new-plugin", name, "--kind", WHAT[kind].split()[0], cwd=folder)
    environment.install(
        "--no-deps", "--no-index", *(part for path in folder.iterdir() for part in ("--editable", path))
    )
    return environment, folder


@pytest.mark.parametrize("kind", WHAT)
def test_scaffolded_plugin_is_installed_listed_run_and_tested(scaffolded, tmp_path, kind):
    environment, folder = scaffolded
    name = NAMES[kind]
    source = folder / f"kerasdream-{name.replace('_', '-')}"

    def kerasdream(*arguments):
        return environment.call("-m", "kerasdream", *arguments, cwd=tmp_path)

    (row,) = [row for row in json.loads(kerasdream("plugins", "--json")) if row["name"] == name]
    assert (row["state"], row["distribution"], row["version"]) == ("loaded", source.name, "0.1.0")
    if kind == "commands":
        assert kerasdream("sparkle-commands", ROOT / "configs" / "photos" / "raccoon.jpg")
    else:
        assert row["registers"] == [f"{kind}/{name}"]
        assert f"  {name} " in kerasdream("list", kind)
        kerasdream("run", source / "example.yaml", "-o", "out", "-s", "octaves.steps=2")
        assert images.read(tmp_path / "out" / "noise-dream.png").pixels.shape == (256, 256, 3)
    environment.call("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=source)
