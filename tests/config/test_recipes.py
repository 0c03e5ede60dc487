"""Recipes inside pictures: those of earlier versions keep their meaning."""

import numpy as np
import pytest
import yaml

from kerasdream import images
from kerasdream.config.document import YamlDocument
from kerasdream.config.recipes import load_any
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError
from kerasdream.results.manifest import Provenance


def test_weights_in_a_recipe_from_before_scale_are_absolute(tmp_path):
    priors = [{"total_variation": {"weight": 1.0}}, {"decay": {"amount": 0.1, "grey": 0.0}}]
    priors.append({"smoothness": {"neighbours": 4, "weight": 2.0, "scale": "gradient"}})
    manifest = {"source": {"name": "noise"}, "recipe": {"image": "noise", "priors": priors}}
    images.save(tmp_path / "a.png", np.zeros((8, 8, 3), "float32"), recipe=yaml.safe_dump(manifest), format="png")
    config = load_any(tmp_path / "a.png")
    assert [prior.scale for prior in config.priors] == ["absolute", "gradient", "gradient"]
    assert config.data["priors"][0] == {"total_variation": {"weight": 1.0, "scale": "absolute"}}
    assert "scale" not in config.data["priors"][1]["decay"]


def test_several_pictures_of_an_objective_are_found_again_and_checked(tmp_path):
    """By base name, next to the picture; a folder among them as a whole."""
    (tmp_path / "more").mkdir()
    for number, name in enumerate(("a.png", "b.png", "more/c.png")):
        images.save(tmp_path / name, np.full((8, 8, 3), number / 10, "float32"), format="png")
    objective = {"style": {"image": ["*.png", str(tmp_path / "more")], "layer": "stem", "match": "sorted"}}
    config = resolve(YamlDocument({"image": "noise", "objectives": objective}, "run"), tmp_path)
    files = Provenance(config).files
    assert list(files) == ["a.png", "b.png", "more"]
    manifest = {"source": {"name": "noise"}, "recipe": config.data, "files": files}
    images.save(tmp_path / "dream.png", np.zeros((8, 8, 3), "float32"), recipe=yaml.safe_dump(manifest), format="png")
    (again,) = load_any(tmp_path / "dream.png").objectives
    assert again.values["image"] == tuple(tmp_path / name for name in files)
    assert again.recipe == config.objectives[0].recipe
    (tmp_path / "more" / "c.png").write_bytes((tmp_path / "a.png").read_bytes())
    with pytest.raises(ConfigError, match=r"more is not the file that dream\.png was made with"):
        load_any(tmp_path / "dream.png")
    (tmp_path / "b.png").unlink()
    with pytest.raises(ConfigError, match=r"the file 'b\.png', which dream\.png was made with, is not in its folder"):
        load_any(tmp_path / "dream.png")
