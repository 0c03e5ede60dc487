"""Both forms of the prior agree with NumPy, treat noise and edges differently and make a dream smoother."""

from pathlib import Path

import kerasdream_wavelets
import numpy as np
import pytest
from kerasdream_wavelets import wavelet_shrinkage, wavelet_sparsity

import kerasdream
from kerasdream.testing import check_plugin, check_prior

EXAMPLE = Path(__file__).parents[1] / "example.yaml"


def test_the_plugin_loads():
    assert check_plugin(kerasdream_wavelets) == ["priors/wavelet_sparsity", "priors/wavelet_shrinkage"]


@pytest.mark.parametrize(
    ("factory", "parameters"),
    [(wavelet_sparsity, {"bands": 2, "weight": 2.0}), (wavelet_sparsity, {}), (wavelet_shrinkage, {"threshold": 0.1})],
)
def test_each_prior(factory, parameters):
    check_prior(factory, parameters)


@pytest.fixture
def noisy_edge():
    picture = np.full((60, 80, 3), -0.5, "float32")
    picture[:, 40:] = 0.5
    return picture + np.random.default_rng(0).normal(0, 0.02, picture.shape).astype("float32")


def test_sparsity_of_one_band_is_the_mean_difference_from_a_blur(noisy_edge):
    density = np.asarray(wavelet_sparsity(bands=1).log_p(noisy_edge[None]))[0]
    around = noisy_edge[9:12, 19:22]
    blurred = np.einsum("i,j,ijc->c", [0.25, 0.5, 0.25], [0.25, 0.5, 0.25], around)
    assert density[10, 20] == pytest.approx(-abs(noisy_edge[10, 20] - blurred).mean(), rel=1e-4)
    grey = np.full((1, 5, 6, 3), 0.3, "float32")
    assert abs(np.asarray(wavelet_sparsity(bands=3).log_p(grey))).max() < 1e-6


def test_shrinkage_removes_noise_and_keeps_the_edge(noisy_edge):
    calm = wavelet_shrinkage(threshold=0.03).apply(noisy_edge)
    assert calm[5:-5, 5:30].std() < 0.4 * noisy_edge[5:-5, 5:30].std()
    assert (calm[:, 40] - calm[:, 39]).mean() > 0.85
    np.testing.assert_allclose(wavelet_shrinkage(threshold=0.0).apply(noisy_edge), noisy_edge, atol=1e-6)


def test_shrinkage_raises_sparsity(photo):
    before, after = (
        np.asarray(wavelet_sparsity().log_p(picture[None])).mean()
        for picture in (photo, wavelet_shrinkage(threshold=0.02).apply(photo))
    )
    assert before < 1.1 * after < 0


def test_the_example_runs_and_is_smoother(tmp_path):
    def roughness(*overrides):
        config = kerasdream.load_config(
            EXAMPLE, ["octaves.count=1", "octaves.steps=4", "image.size=[64, 64]", *overrides]
        )
        return np.abs(np.diff(kerasdream.run(config, folder=tmp_path, overwrite=True).image, axis=1)).mean()

    assert roughness() < 0.8 * roughness("priors=[]")
