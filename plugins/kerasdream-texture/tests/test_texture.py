"""The objective agrees with NumPy; statistics survive the file; a dream takes on the texture of a photo."""

import kerasdream_texture
import numpy as np
import pytest
from kerasdream_texture import gram, save_statistics, statistics_of, texture

import kerasdream
from kerasdream import ConfigError, images
from kerasdream.testing import PHOTO, check_command, check_objective, check_plugin


@pytest.fixture
def file(tmp_path, photo, tiny_network):
    save_statistics(tmp_path / "raccoon.npz", statistics_of(tiny_network, photo, ["conv1", "conv2"]))
    return tmp_path / "raccoon.npz"


def test_the_plugin_loads():
    assert check_plugin(kerasdream_texture) == ["objectives/texture"]


def test_texture(file, photo):
    check_objective(texture, {"statistics": str(file)}, picture=photo[:, ::-1] ** 3)
    check_objective(texture, {"statistics": str(file), "layers": ["conv2"]}, picture=photo[:, ::-1] ** 3)


def test_gram_is_the_mean_of_products():
    a = np.random.default_rng(0).normal(size=(2, 3, 4, 5)).astype("float32")
    flat = a.reshape(2, 12, 5)
    np.testing.assert_allclose(gram(a), np.matmul(flat.transpose(0, 2, 1), flat) / 12, rtol=1e-4, atol=1e-5)


def test_the_photo_itself_scores_highest(file, photo, tiny_network):
    step = kerasdream.GradientStep(tiny_network, texture(statistics=file), tile=512, halo=0)
    assert step(photo)[0] == pytest.approx(0, abs=1e-4)
    assert step(-photo)[0] < -0.01


def test_errors_name_the_cause(tmp_path, file):
    with pytest.raises(ConfigError, match=r"lost\.npz does not exist; kerasdream texture PHOTO -o lost\.npz makes it"):
        texture(statistics=tmp_path / "lost.npz")
    with pytest.raises(ConfigError, match=r"raccoon\.npz has no statistics of conv9; it has conv1, conv2"):
        texture(statistics=file, layers=["conv1", "conv9"])
    (tmp_path / "bad.npz").write_text("no")
    with pytest.raises(ConfigError, match="is not a file that kerasdream texture wrote"):
        texture(statistics=tmp_path / "bad.npz")


def test_from_the_command_line_to_a_dream(tmp_path):
    printed = check_command(kerasdream_texture, ["texture", str(PHOTO), "-o", str(tmp_path / "raccoon.npz")])
    assert printed == f"{tmp_path / 'raccoon.npz'}\n"
    (tmp_path / "run.yaml").write_text(
        "image: {source: noise, size: [96, 96]}\nobjectives: {texture: raccoon.npz}\n"
        "octaves: {count: 1, steps: 15}\npriors: []\n"
    )
    result = kerasdream.run(tmp_path / "run.yaml")
    assert result.scores[-1] > 0.6 * result.scores[0]  # minus a distance: it shrinks
    assert images.read_recipe(result.paths[0])
