"""The filters calm flat areas and leave edges; the dream of a network does so too."""

from pathlib import Path

import kerasdream_smoothing
import numpy as np
import pytest
from kerasdream_smoothing import bilateral, median

import kerasdream
from kerasdream.config import load
from kerasdream.testing import check_plugin, check_prior

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_the_plugin_loads():
    assert check_plugin(kerasdream_smoothing) == ["priors/bilateral", "priors/median"]


@pytest.mark.parametrize(("factory", "parameters"), [(bilateral, {"tone": 0.3}), (median, {"size": 5})])
def test_each_prior(factory, parameters):
    check_prior(factory, parameters)


@pytest.fixture
def noisy_edge():
    picture = np.full((60, 80, 3), -0.5, "float32")
    picture[:, 40:] = 0.5
    return picture + np.random.default_rng(0).normal(0, 0.05, picture.shape).astype("float32")


def test_bilateral_calms_flat_areas_and_leaves_the_edge(noisy_edge):
    smooth = bilateral(tone=0.2, radius=2.0, amount=1.0).apply(noisy_edge)
    assert smooth[5:-5, 5:30].std() < 0.4 * noisy_edge[5:-5, 5:30].std()
    assert (smooth[:, 40] - smooth[:, 39]).mean() > 0.9
    np.testing.assert_array_equal(bilateral(amount=0.0).apply(noisy_edge), noisy_edge)


def test_median_is_the_median(noisy_edge):
    middle = median(amount=1.0).apply(noisy_edge)
    assert middle[10, 20, 1] == np.median(noisy_edge[9:12, 19:22, 1])
    noisy_edge[30, 20] = 1.0
    assert abs(median(amount=1.0).apply(noisy_edge)[30, 20] + 0.5).max() < 0.2


def test_the_example_runs_and_is_calmer(tmp_path):
    small = ["octaves.count=1", "octaves.steps=4", "image.size=[64, 64]"]
    rough, calm = (
        np.abs(
            np.diff(kerasdream.run(load(EXAMPLE, [*small, *more]), folder=tmp_path, overwrite=True).image, axis=1)
        ).mean()
        for more in (["priors=[]"], [])
    )
    assert calm < 0.8 * rough
