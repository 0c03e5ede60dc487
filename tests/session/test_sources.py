"""The pictures that a run starts from."""

import sys
from pathlib import Path

import numpy as np
import pytest

from kerasdream import ConfigError, ImageError, images
from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve
from kerasdream.session import sources
from kerasdream.session.session import Session


def configured(image, base=Path(".")):
    return resolve(YamlDocument({"image": image}, "f.yaml"), base)


@pytest.fixture
def photos(tmp_path, chelsea):
    """A folder with three photos, one of them in a folder of its own."""
    (tmp_path / "more").mkdir()
    for name, width in {"a.png": 80, "b.png": 120, "more/c.png": 100}.items():
        images.save(tmp_path / name, chelsea[:60, :width], format="png")
    return tmp_path


def test_several_photos_folders_and_patterns(photos):
    found = sources.find(configured(["more", "*.png", "a.png"], photos), lambda photo: [])
    assert found == [str(photos / name) for name in ("more/c.png", "a.png", "b.png")]
    beside = Session(configured([str(photos), "more/c.png"], photos), beside=True)
    images.save(photos / "a-dream.png", np.zeros((8, 8, 3)), format="png")  # left out: the run writes it
    assert [beside.files.paths(photo) for photo in beside.sources()] == [
        [photos / "a-dream.png"], [photos / "b-dream.png"], [photos / "more/c-dream.png"],
    ]  # fmt: skip


def test_a_photo_that_is_shrunk_says_so(photos):
    config = configured({"source": [str(photos), "more/c.png"], "max_side": 100}, photos)
    found = sources.find(config, lambda photo: [])
    note = "b.png: 120×60 is dreamed at 100×50 (image.max_side: 100); --size 120 or image.max_side: null keeps it"
    assert [sources.read(config, photo).notes for photo in found] == [(), (note,), ()]
    assert Session(config).notes(found) == ([note], [note])
    both = configured({"source": str(photos), "max_side": 64}, photos)
    summary, each = Session(both).notes(sources.find(both, lambda photo: []))
    assert summary == [
        "2 photos are dreamed at 64 pixels on the longer side (image.max_side), such as a.png: 80×60; "
        "image.max_side: null keeps their sizes"
    ]
    assert len(each) == 2


def test_side_enlarges_and_shrinks(photos):
    for source, expected in {"a.png": (45, 60), "b.png": (30, 60)}.items():
        config = configured({"source": source, "side": 60}, photos)
        assert sources.read(config, str(photos / source)).stored.shape[:2] == expected
        assert sources.read(config, str(photos / source)).notes == ()
    config = configured({"source": "a.png", "side": 201, "panels": 2}, photos)
    assert sources.shape_of(config, str(photos / "a.png")) == (151, 402)
    assert sources.read(config, str(photos / "a.png")).stored.shape == (151, 402, 3)
    assert sources.noise(configured({"source": "noise", "size": [50, 100], "side": 80})).stored.shape == (40, 80, 3)
    large = configured({"source": "a.png", "side": 65_536}, photos)
    for made in sources.shape_of, sources.read:
        with pytest.raises(ImageError, match="makes a dream of 65536×49152 pixels; expected at most 268,435,456"):
            made(large, str(photos / "a.png"))
    with pytest.raises(ConfigError, match="image: expected either side, the size of the dream, or max_side, a limit"):
        configured({"source": "a.png", "side": 100, "max_side": 1024})


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
def mixed(tmp_path, chelsea):
    """A folder with one photo that is read, and four that are not."""
    folder = tmp_path / "photos"
    folder.mkdir()
    images.save(folder / "cat.png", chelsea[:64, :80], format="png")
    for name in ("IMG_1.HEIC", "IMG_2.heic", "DSC_3.NEF", "DSC_4.nef", "DSC_5.nef", "DSC_6.nef", "notes.txt"):
        (folder / name).write_bytes(b"\0")
    return folder


def test_photos_in_a_folder_that_cannot_be_read_are_named(mixed, monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    config = configured("photos", mixed.parent)
    assert sources.find(config, lambda photo: []) == [str(mixed / "cat.png")]
    assert sources.left_out(config) == [
        "left out of photos/: 4 files, DSC_3.NEF, DSC_4.nef, DSC_5.nef, ...: a camera's raw file; develop it: export "
        "it as TIFF or JPEG; 2 files, IMG_1.HEIC, IMG_2.heic: HEIC is read with an extra package: pip install "
        '"kerasdream[heif]"; or export it as JPEG or PNG'
    ]
    assert sources.left_out(configured("cat.png", mixed)) == []
    (mixed / "cat.png").unlink()
    with pytest.raises(ImageError, match=r"photos has no pictures \(4 files, DSC_3.NEF"):
        sources.find(config, lambda photo: [])


def test_heic_photos_in_a_folder_are_found_where_they_can_be_read(mixed):
    pytest.importorskip("pillow_heif")
    config = configured("photos", mixed.parent)
    assert [Path(file).name for file in sources.find(config, lambda photo: [])] == [
        "IMG_1.HEIC",
        "IMG_2.heic",
        "cat.png",
    ]
    assert "HEIC" not in str(sources.left_out(config))
