"""The functions of the Python interface."""

from __future__ import annotations

import pytest

import kerasdream
from kerasdream import ConfigError


def test_unknown_option_is_an_error(chelsea):
    with pytest.raises(TypeError, match=r"unexpected keyword argument 'octave'; did you mean 'octaves'"):
        kerasdream.dream(chelsea, octave={"count": 1})


def test_run_of_several_pictures_is_an_error(tmp_path, chelsea):
    for name in "ab":
        kerasdream.images.save(tmp_path / f"{name}.png", chelsea[:32, :32], format="png")
    with pytest.raises(ConfigError, match="this run has 2 pictures; call kerasdream"):
        kerasdream.run({"image": str(tmp_path)})


def test_noise_is_dreamed(tiny):
    options = {"objectives": {"l2": "c3"}, "input_range": (-1, 1), "octaves": {"count": 1, "steps": 1}}
    assert kerasdream.dream("noise", model=tiny, **options).image.shape == (512, 512, 3)


def test_side_is_the_size_of_the_result(tiny, chelsea):
    options = {"objectives": {"l2": "c3"}, "input_range": (0, 255), "octaves": {"count": 1, "steps": 1}}
    result = kerasdream.dream(chelsea[:40, :60], model=tiny, side=90, **options)
    assert (result.image.shape, result.notes) == ((60, 90, 3), ())
    assert result.manifest["recipe"]["image"]["side"] == 90
    with pytest.raises(ConfigError, match="expected either side"):
        kerasdream.dream(chelsea, model=tiny, side=90, max_side=100, **options)


def test_large_pictures_are_shrunk(tiny, chelsea):
    options = {"objectives": {"l2": "c3"}, "input_range": (0, 255), "octaves": {"count": 1, "steps": 1}}
    result = kerasdream.dream(chelsea, model=tiny, max_side=60, **options)
    assert result.image.shape == (40, 60, 3)
    assert result.notes[0] == (
        "picture: 451×300 is dreamed at 60×40 (image.max_side: 60); side=451 or max_side=None keeps it"
    )


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: kerasdream.run(5),
            "the config is of type int; expected the path of a run file, or the same as a mapping",
        ),
        (lambda: kerasdream.load_config(None), "the config is of type NoneType"),
        (lambda: kerasdream.load_config({"image": "noise"}, 5), "overrides=5: expected a list of overrides"),
        (lambda: kerasdream.run({"image": "noise"}, plugins=[5]), "plugins=.5.: expected a list of plugins"),
        (lambda: kerasdream.run({"image": "noise"}, on_event=5), "on_event is of type int; expected a function"),
        (lambda: kerasdream.build_network({}), "of type dict; expected the result of load_config"),
        (lambda: kerasdream.dream(5), "the picture is of type int; expected a file, a Pillow image or an array"),
        (lambda: kerasdream.dream({}), "the picture is of type dict"),
        (lambda: kerasdream.dream("noise", model=5), "the model is of type int; expected the name of a network"),
        (lambda: kerasdream.GradientStep(5, []), "the model is of type int; expected a Keras model"),
        (lambda: kerasdream.feature_extractor("vgg16", ["c1"]), "the model is of type str; expected a Keras model"),
    ],
)
def test_wrong_types_are_one_sentence(call, words):
    with pytest.raises(TypeError, match=words):
        call()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"input_range": 5}, "input_range=5: expected two ascending numbers"),
        ({"input_range": (1, 0)}, "expected two ascending numbers"),
        ({"preprocess": 5}, "preprocess is of type int; expected a function"),
    ],
)
def test_wrong_options_of_a_model_are_one_sentence(tiny, options, words):
    with pytest.raises(TypeError, match=words):
        kerasdream.dream("noise", model=tiny, objectives={"l2": "c3"}, **options)


def test_range_of_a_network_that_has_its_own_is_an_error():
    with pytest.raises(ConfigError, match="input_range: only for a Keras model, but model is 'efficientnet_lite0'"):
        kerasdream.dream("noise", input_range=(0, 255))


def test_one_override_or_plugin_needs_no_list(tmp_path):
    assert kerasdream.load_config({"image": "noise"}, "seed=7").seed == 7
    with pytest.raises(ConfigError, match=r"lost\.py does not exist"):
        kerasdream.load_config({"image": "noise"}, plugins=tmp_path / "lost.py")


def test_messages_name_arguments_rather_than_options(tmp_path, chelsea):
    kerasdream.images.save(tmp_path / "cat.png", chelsea[:64, :64], format="png")
    (tmp_path / "cat-dream.png").touch()
    with pytest.raises(kerasdream.OutputError) as caught:
        kerasdream.run({"image": str(tmp_path / "cat.png")}, folder=tmp_path)
    assert str(caught.value).endswith("exists; pass overwrite=True to replace it, or folder=DIR to write elsewhere")
    (tmp_path / "here").mkdir()
    (tmp_path / "run.yaml").write_text("image: noise\nplugins: [../x.py]\n")
    (tmp_path / "run.yaml").rename(tmp_path / "here" / "run.yaml")
    (tmp_path / "x.py").touch()
    with pytest.raises(ConfigError, match=r"name it in plugins=\[\.\.\.\], or pass trust=True"):
        kerasdream.load_config(tmp_path / "here" / "run.yaml")


def test_photos_left_out_of_a_folder_are_noted(tmp_path, chelsea, tiny):
    kerasdream.images.save(tmp_path / "cat.png", chelsea[:64, :64], format="png")
    (tmp_path / "DSC_1.NEF").touch()
    tiny.save(tmp_path / "tiny.keras")
    result = kerasdream.run(
        {
            "image": str(tmp_path),
            "model": {"file": str(tmp_path / "tiny.keras"), "input_range": [-1, 1]},
            "objectives": [{"l2": "c3"}],
            "octaves": {"count": 1, "steps": 1},
        },
        folder=tmp_path,
    )
    assert result.notes[0] == (
        f"left out of {tmp_path}/: 1 file, DSC_1.NEF: a camera's raw file; develop it: export it as TIFF or JPEG"
    )
