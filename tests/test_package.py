"""The distribution: a wheel contains every file of the package."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_wheel_contains_every_file_of_the_package(tmp_path):
    source = tmp_path / "source"
    shutil.copytree(ROOT / "kerasdream", source / "kerasdream", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "..", "."]
    subprocess.run(command, cwd=source, check=True)
    (wheel,) = tmp_path.glob("kerasdream-*.whl")
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("kerasdream/")}
    assert packed == {str(file.relative_to(ROOT)) for file in files(ROOT / "kerasdream")}


def files(folder):
    return [file for file in folder.rglob("*") if file.is_file() and file.parent.name != "__pycache__"]
