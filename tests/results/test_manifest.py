"""What is stored in a picture."""

from __future__ import annotations

import numpy as np
import pytest

import kerasdream
from kerasdream import ModelError
from kerasdream.config.recorded import checksum


def test_manifest_has_recipe_checksums_and_versions(run):
    manifest = run()[0].manifest
    assert manifest["recipe"]["image"]["source"] == "cat.png"
    assert isinstance(manifest["recipe"]["tiles"]["size"], int)  # the recipe itself says auto
    assert manifest["source"] == {"name": "cat.png", "sha256": checksum(run.folder / "cat.png")}
    assert manifest["files"] == {"tiny.keras": checksum(run.folder / "tiny.keras")}
    assert {"python", "tensorflow", "keras", "numpy", "pillow"} <= set(manifest["versions"])


def test_automatic_octaves_are_numbers_in_the_picture(tiny, chelsea):
    network = kerasdream.Network("tiny", tiny, lambda picture: picture, size=64)
    options = {"model": network, "objectives": {"l2": "c3"}, "octaves": {"scale": 1.1}}
    result = kerasdream.dream(chelsea[:40, :48], **options)
    octaves = result.manifest["recipe"]["octaves"]
    assert (octaves["count"], octaves["steps"]) == (3, 40)  # of 33, 36 and 40 pixels: at least half of 64
    again = kerasdream.dream(chelsea[:40, :48], **{**options, "octaves": octaves})
    np.testing.assert_array_equal(again.image, result.image)


def test_missing_model_file_is_reported_by_the_model(run):
    with pytest.raises(ModelError, match=r"the model file .*lost.keras does not exist"):
        run(resume=True, model={"file": str(run.folder / "lost.keras"), "input_range": [-1, 1]})
