"""The plugins in plugins/: installed as the distributions they are, into a folder of their own, and used."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kerasdream
from kerasdream import images

PLUGINS = sorted((Path(__file__).parents[1] / "plugins").glob("*/setup.cfg"))


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A folder in which all of them are installed, and the environment to see it."""
    folder = tmp_path_factory.mktemp("site")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(folder)]
    subprocess.run([*install, *(str(path.parent) for path in PLUGINS)], check=True)
    return {**os.environ, "PYTHONPATH": str(folder)}


def test_each_is_found_by_its_entry_point(site):
    command = [sys.executable, "-m", "kerasdream", "plugins", "--json"]
    rows = json.loads(subprocess.run(command, env=site, capture_output=True, text=True, check=True).stdout)
    found = {row["name"]: row for row in rows}
    assert found["film_grain"]["registers"] == ["postprocess/film_grain"]
    assert not any(row["error"] for row in rows)
    assert len(rows) == 1 + len(PLUGINS)


@pytest.mark.parametrize("path", PLUGINS, ids=lambda path: path.parent.name)
def test_its_own_tests_pass(path, site):
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(path.parent / "tests")]
    done = subprocess.run(command, env=site, capture_output=True, text=True, cwd=path.parent, check=False)
    assert done.returncode == 0, done.stdout


def test_film_grain_in_a_run_file(site, tmp_path, chelsea):
    images.save(tmp_path / "cat.png", chelsea[:64, :64], format="png")
    (tmp_path / "run.yaml").write_text(
        "image: cat.png\nobjectives: {l2: block3_expand}\noctaves: {count: 1, steps: 1}\n"
        "postprocess:\n  - film_grain: {amount: 0.3}\n"
    )
    subprocess.run([sys.executable, "-m", "kerasdream", "run", str(tmp_path / "run.yaml")], env=site, check=True)
    grained = images.read(tmp_path / "cat-dream.png").pixels
    plain = kerasdream.dream(
        chelsea[:64, :64], objectives={"l2": "block3_expand"}, octaves={"count": 1, "steps": 1}
    ).image
    assert 0.05 < np.std(grained - plain) < 0.3
