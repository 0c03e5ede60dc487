"""What is stored in a picture."""

from __future__ import annotations

import pytest

from kerasdream import ModelError
from kerasdream.config.recipes import checksum


def test_manifest_has_recipe_checksums_and_versions(run):
    manifest = run()[0].manifest
    assert manifest["recipe"]["image"]["source"] == "cat.png"
    assert isinstance(manifest["recipe"]["tiles"]["size"], int)  # the recipe itself says auto
    assert manifest["source"] == {"name": "cat.png", "sha256": checksum(run.folder / "cat.png")}
    assert manifest["files"] == {"tiny.keras": checksum(run.folder / "tiny.keras")}
    assert {"python", "tensorflow", "keras", "numpy", "pillow"} <= set(manifest["versions"])


def test_missing_model_file_is_reported_by_the_model(run):
    with pytest.raises(ModelError, match=r"the model file .*lost.keras does not exist"):
        run(resume=True, model={"file": str(run.folder / "lost.keras"), "input_range": [-1, 1]})
