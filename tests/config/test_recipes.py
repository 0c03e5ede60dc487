"""Recipes inside pictures: those of earlier versions keep their meaning."""

import numpy as np
import yaml

from kerasdream import images
from kerasdream.config.recipes import load_any


def test_weights_in_a_recipe_from_before_scale_are_absolute(tmp_path):
    priors = [{"total_variation": {"weight": 1.0}}, {"decay": {"amount": 0.1, "grey": 0.0}}]
    priors.append({"smoothness": {"neighbours": 4, "weight": 2.0, "scale": "gradient"}})
    manifest = {"source": {"name": "noise"}, "recipe": {"image": "noise", "priors": priors}}
    images.save(tmp_path / "a.png", np.zeros((8, 8, 3), "float32"), recipe=yaml.safe_dump(manifest), format="png")
    config = load_any(tmp_path / "a.png")
    assert [prior.scale for prior in config.priors] == ["absolute", "gradient", "gradient"]
    assert config.data["priors"][0] == {"total_variation": {"weight": 1.0, "scale": "absolute"}}
    assert "scale" not in config.data["priors"][1]["decay"]
