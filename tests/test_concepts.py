"""Concepts: the direction against independent maths, what is held out, and stripes found in photos."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

import kerasdream
from kerasdream import GradientStep, Network, images
from kerasdream.builtin.objectives import cosine
from kerasdream.components import from_range
from kerasdream.concepts import Concept, auc_of, crops_of, direction, held_out, learned
from kerasdream.errors import ImageError, ModelError, OutputError

CHANNELS = 24


def features(random, photos=20, crops=6, along=None, distance=4.0):
    """Features of photos with and without a concept: noise, and a step along a direction."""
    shown, other = random.normal(size=(2, photos, crops, CHANNELS))
    return shown + (0 if along is None else distance * along), other


def test_a_planted_direction_is_found():
    random = np.random.default_rng(0)
    along = random.normal(size=CHANNELS)
    along /= np.linalg.norm(along)
    shown, other = features(random, photos=100, along=along)
    for ridge in (0.1, 10.0, 1000.0):
        found = direction(shown, other[:60], ridge)
        assert np.linalg.norm(found) == pytest.approx(1)
        assert found @ along > 0.98
    assert held_out(shown, other, 10.0) > 0.99


def test_direction_is_ridge_regression():
    """Between the linear discriminant and the difference of the means."""
    random = np.random.default_rng(1)
    mix = random.normal(size=(CHANNELS, CHANNELS))
    shown, other = (each @ mix for each in features(random, along=np.eye(CHANNELS)[0]))
    rows = np.concatenate([shown.reshape(-1, CHANNELS), other.reshape(-1, CHANNELS)])
    goal = np.repeat([1.0, -1.0], len(rows) // 2)
    centred = rows - rows.mean(0)
    weight = 0.5 * len(rows) * centred.var(0).mean()
    stacked = np.concatenate([centred, np.sqrt(weight) * np.eye(CHANNELS)])  # ridge as least squares with more rows
    expected, *_ = np.linalg.lstsq(stacked, np.concatenate([goal, np.zeros(CHANNELS)]), rcond=None)
    np.testing.assert_allclose(direction(shown, other, 0.5), expected / np.linalg.norm(expected), atol=1e-6)
    means = shown.mean((0, 1)) - other.mean((0, 1))
    np.testing.assert_allclose(direction(shown, other, 1e6), means / np.linalg.norm(means), atol=1e-4)


def test_whole_photos_are_held_out():
    """Photos that differ at random, each with crops that are all alike: a crop in both parts would give itself away."""
    random = np.random.default_rng(2)
    shown, other = (np.repeat(each[:, :1], 6, axis=1) for each in features(random, photos=16))
    assert direction(shown, other, 0.01) @ (shown - other).mean((0, 1)) > 0
    assert 0.2 < held_out(shown, other, 0.01) < 0.8


def test_auc_is_the_share_of_pairs_in_order():
    high, low = [3.0, 1.0, 2.0, 2.0], [0.0, 2.0, 5.0]
    pairs = [1.0 if one > two else 0.5 if one == two else 0.0 for one in high for two in low]
    assert auc_of(np.array(high), np.array(low)) == pytest.approx(np.mean(pairs))


def test_crops_are_squares_of_the_photo():
    photo = np.linspace(-1, 1, 40 * 90 * 3, dtype="float32").reshape(40, 90, 3)
    crops = list(crops_of(photo, 20, 16, np.random.default_rng(0)))
    assert {crop.shape for crop in crops} == {(16, 16, 3)}
    heights = [np.ptp(crop[..., 0]) / np.ptp(photo[..., 0]) for crop in crops]
    assert 0.4 < min(heights) < 0.7 < max(heights) <= 1


@pytest.fixture(scope="module")
def photos(tmp_path_factory, chelsea, coffee):
    """Folders of six photos with stripes and six without, no place in two of them."""
    folder = tmp_path_factory.mktemp("photos")
    places = [picture[y : y + 96, x : x + 96] for picture in (chelsea, coffee) for y in (0, 100) for x in (0, 110, 220)]
    y, x = np.mgrid[:96, :96]
    for number, place in enumerate(places):
        angle = number * 0.5
        stripes = np.sign(np.sin((np.cos(angle) * x + np.sin(angle) * y) * 0.6))[..., None]
        striped = number % 2
        name = f"{'stripes' if striped else 'plain'}/{number}.png"
        (folder / name).parent.mkdir(exist_ok=True)
        images.save(folder / name, (0.6 * place + 0.4 * striped * stripes).astype("float32"), format="png")
    return folder


def test_stripes_are_found_and_drawn(photos, lite0, tmp_path):
    found = kerasdream.concept(photos / "stripes", photos / "plain", "block5_expand", model=lite0, crops=3)
    assert found.auc > 0.95
    assert (found.layer, found.network, found.photos, found.notes) == ("block5_expand", lite0.name, (6, 6), ())
    found.save(tmp_path / "stripes.npy")
    np.testing.assert_array_equal(np.load(tmp_path / "stripes.npy"), found.vector)
    step = GradientStep(lite0, cosine(layer="block5_expand", direction=tmp_path / "stripes.npy"), tile=128, halo=0)
    striped, plain = (
        np.mean([step(images.read(file).pixels)[0] for file in images.in_folder(photos / name)])
        for name in ("stripes", "plain")
    )
    assert striped > plain
    with pytest.raises(OutputError, match="exists already; choose another name, or replace it with overwrite=True"):
        found.save(tmp_path / "stripes.npy")


def test_concepts_are_the_same_each_time_and_follow_the_seed(photos, tiny):
    def vector(seed):
        return kerasdream.concept(
            photos / "stripes", photos / "plain", "c3", model=tiny, input_range=(-1, 1), crops=2, seed=seed
        ).vector

    np.testing.assert_array_equal(vector(0), vector(0))
    assert (vector(0) != vector(1)).any()


@pytest.fixture
def network(tiny):
    """The small network, and on top of it a layer without positions and one that never responds."""
    import keras

    dead = keras.layers.Rescaling(0.0, name="dead")(tiny.output)
    return Network(
        "small", keras.Model(tiny.input, keras.layers.GlobalAveragePooling2D(name="p")(dead)), from_range(-1, 1)
    )


@pytest.mark.parametrize(
    ("layer", "words"),
    [
        ("C3", "small has no layer 'C3'; did you mean 'c3'"),
        ("p", "the layer 'p' has no positions in the picture; choose an earlier layer"),
        ("dead", "the layer 'dead' responds to all of these photos alike; choose another layer"),
    ],
)
def test_layers_that_cannot_be_used_are_errors(layer, words, photos, network):
    with pytest.raises(ModelError) as error:
        kerasdream.concept(photos / "stripes", photos / "plain", layer, model=network, crops=1)
    assert words in str(error.value)


def test_photos_that_cannot_be_used_are_errors(photos, network, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasdream.concepts.build_network", lambda config: pytest.fail("nothing is built before"))
    for name in ("none", "one", "copy"):
        (tmp_path / name).mkdir()
    plain = photos / "plain"
    shutil.copy(plain / "0.png", tmp_path / "one")
    for name in ("2.png", "4.png"):
        shutil.copy(plain / name, tmp_path / "copy" / name.replace(".", "-copy."))
    for folder, words in {
        tmp_path / "nowhere": "nowhere is not a folder; expected one with pictures in it",
        tmp_path / "none": "none has no pictures; expected files ending in .png",
        tmp_path / "one": "one has one picture; expected at least 2",
        photos / "stripes" / ".." / "plain": "is given twice; expected a folder with the concept and another one",
        tmp_path / "copy": "2-copy.png is the same file as",
    }.items():
        with pytest.raises(ImageError) as error:
            kerasdream.concept(plain, folder, "c3", model=network)
        assert words in str(error.value)


@pytest.mark.parametrize("options", [{"crops": 0}, {"ridge": 0.0}, {"ridge": float("nan")}])
def test_numbers_out_of_range_are_errors(options, network):
    with pytest.raises(ValueError, match="expected at least one crop, and a ridge above 0"):
        learned(kerasdream.load_config({"image": "noise"}), "stem", "a", "b", **options)


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    concept = Concept(np.ones(3, "float32"), 0.9, "c3", "tiny", (2, 2))
    for name, words in {"a.npz": "expected a name that ends in .npy", "no/a.npy": "there is no folder"}.items():
        with pytest.raises(OutputError, match=words):
            concept.save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []
