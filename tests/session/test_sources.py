"""The pictures that a run starts from."""

import sys
from pathlib import Path

import numpy as np
import pytest

from kerasdream import images
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.errors import ImageError
from kerasdream.session import sources


def test_noise_has_the_requested_mean_and_spread():
    def noise(image, seed=0):
        document = YamlDocument({"seed": seed, "image": {"source": "noise", "size": [200, 300], **image}}, "noise")
        return sources.noise(resolve(document, Path("."))).pixels

    usual, bright = noise({}), noise({"mean": 0.5686, "spread": 0.0627})
    assert usual.shape == (200, 300, 3)
    assert (usual.mean(), usual.std()) == (pytest.approx(0, abs=1e-3), pytest.approx(0.1, rel=0.01))
    assert (bright.mean(), bright.std()) == (pytest.approx(0.5686, abs=1e-3), pytest.approx(0.0627, rel=0.01))
    np.testing.assert_allclose((bright - 0.5686) / 0.0627, usual / 0.1, atol=1e-4)  # the seed's numbers
    assert np.abs(noise({"mean": 1, "spread": 3})).max() == 1
    assert (noise({"spread": 0, "mean": -0.5}) == -0.5).all()
    assert np.abs(noise({}, seed=1) - usual).mean() > 0.1


@pytest.fixture
def photos(tmp_path, chelsea):
    """A folder with one photo that is read, and four that are not."""
    folder = tmp_path / "photos"
    folder.mkdir()
    images.save(folder / "cat.png", chelsea[:64, :80], format="png")
    for name in ("IMG_1.HEIC", "IMG_2.heic", "DSC_3.NEF", "DSC_4.nef", "DSC_5.nef", "DSC_6.nef", "notes.txt"):
        (folder / name).write_bytes(b"\0")
    return folder


def config_of(folder, source):
    return resolve(YamlDocument({"image": str(source)}, "run.yaml"), folder)


def test_photos_in_a_folder_that_cannot_be_read_are_named(photos, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    config = config_of(photos.parent, "photos")
    assert sources.find(config, lambda photo: []) == [str(photos / "cat.png")]
    assert sources.left_out(config) == (
        "left out of photos/: 4 files, DSC_3.NEF, DSC_4.nef, DSC_5.nef, ...: a camera's raw file; develop it: export "
        "it as TIFF or JPEG; 2 files, IMG_1.HEIC, IMG_2.heic: HEIC is read with an extra package: pip install "
        '"kerasdream[heif]"; or export it as JPEG or PNG'
    )
    assert sources.left_out(config_of(photos, "cat.png")) == ""
    (photos / "cat.png").unlink()
    with pytest.raises(ImageError, match=r"photos has no pictures \(left out of photos/: 4 files, DSC_3.NEF"):
        sources.find(config, lambda photo: [])


def test_heic_photos_in_a_folder_are_found_where_they_can_be_read(photos):
    pytest.importorskip("pillow_heif")
    config = config_of(photos.parent, "photos")
    assert [Path(file).name for file in sources.find(config, lambda photo: [])] == [
        "IMG_1.HEIC",
        "IMG_2.heic",
        "cat.png",
    ]
    assert "HEIC" not in sources.left_out(config)
