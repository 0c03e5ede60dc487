"""An input range that contradicts the network's own scaling is noticed."""

import keras
import numpy as np
import pytest

import kerasdream
from kerasdream import ModelError, Network, from_range
from kerasdream.models.extractor import build_extractor

L = keras.layers


def adapted(low, high):
    norm = L.Normalization()
    norm.adapt(np.random.default_rng(0).uniform(low, high, (4, 8, 8, 3)))
    return norm


def model_with(*layers):
    x = picture = keras.Input((None, None, 3))
    for layer in layers:
        x = layer(x)
    return keras.Model(picture, L.Conv2D(4, 3, name="conv")(x), name="mine")


def notes(layers, low, high):
    return build_extractor(Network("mine", model_with(*layers), from_range(low, high)), ["conv"]).notes


@pytest.mark.parametrize(
    ("layers", "right", "wrong"),
    [
        (lambda: [L.Rescaling(1 / 255)], (0, 255), [(-1, 1), (0, 1)]),
        (lambda: [L.RandomFlip(), L.Rescaling(1 / 127.5, -1)], (0, 255), [(-1, 1), (0, 1)]),
        (lambda: [keras.Sequential([keras.Input((None, None, 3)), L.Rescaling(1 / 255)])], (0, 255), [(0, 1)]),
        (lambda: [L.Rescaling(255.0)], (0, 1), [(0, 255)]),
        (lambda: [adapted(0, 255)], (0, 255), [(-1, 1), (0, 1)]),
        (lambda: [L.Rescaling(1 / 255), adapted(0, 1)], (0, 255), [(-1, 1)]),
    ],
    ids=["rescaling", "augmented", "nested", "upwards", "normalization", "both"],
)
def test_a_range_that_is_certainly_wrong_is_an_error_that_says_the_right_one(layers, right, wrong):
    assert notes(layers(), *right) == ()
    for low, high in wrong:
        with pytest.raises(ModelError, match=rf"scales its pictures itself.*input_range: \[{right[0]}, {right[1]}\]"):
            notes(layers(), low, high)


def test_a_range_may_be_omitted_where_the_first_layers_tell_but_not_given_twice(own):
    model = model_with(L.Rescaling(1 / 255))
    options = {"objectives": {"l2": "conv"}, "octaves": {"count": 1, "steps": 1}}
    found, given = (
        kerasdream.dream(own.photo(), model=model, **options, **more) for more in ({}, {"input_range": (0, 255)})
    )
    np.testing.assert_array_equal(found.image, given.image)
    assert "pixel values from 0 to 255" in found.notes[0]
    with pytest.raises(ModelError, match="remove one"):
        kerasdream.GradientStep(model, [], input_range=(0, 255), preprocess=lambda picture: picture)


def test_a_range_that_may_be_wrong_is_a_note_in_the_result_and_on_the_command_line(own, here, tmp_path):
    model = model_with(L.Rescaling(2.0, -1.0))
    result = kerasdream.dream(
        own.photo(), model=model, input_range=(-1, 1), objectives={"l2": "conv"}, octaves={"count": 1, "steps": 1}
    )
    (said,) = result.notes
    assert "from -1 to 1 become -3 to 1; type input_range: [0, 1], with which they become -1 to 1" in said
    model.save(tmp_path / "mine.keras")
    (tmp_path / "run.yaml").write_text(
        "image: {source: noise, size: [32, 32]}\nmodel: {file: mine.keras, input_range: [-1, 1]}\n"
        "objectives: {l2: conv}\noctaves: {count: 1, steps: 1}\n"
    )
    code, _, errors = here("run", tmp_path / "run.yaml")
    assert code == 0
    assert f"note: {said}" in errors
    (tmp_path / "run.yaml").write_text((tmp_path / "run.yaml").read_text().replace("[-1, 1]", "[0, 65535]"))
    code, _, errors = here("run", tmp_path / "run.yaml", "--overwrite")
    assert code == 1
    assert "run.yaml:2:1: model: mine scales its pictures itself" in errors
