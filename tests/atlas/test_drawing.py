"""``kerasdream atlas`` in this process: tiles, sheet and page; resuming; errors."""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

import keras
import numpy as np
import pytest
from PIL import Image

from kerasdream.atlas import content, drawing, sheet
from kerasdream.cli import display
from kerasdream.components import Network, from_range
from kerasdream.config.recipes import manifest_in
from kerasdream.events import Stepped
from kerasdream.models import tables

FAST = "--size", 64, "-s", "octaves.steps=2"


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """``kerasdream atlas`` in a folder: returns exit code, output, errors."""
    from kerasdream.cli.main import main

    def call(folder, *arguments):
        out, err = StringIO(), StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(out), redirect_stderr(err):
            patch.chdir(folder)
            patch.setattr(sys, "argv", ["kerasdream", "atlas", *map(str, arguments)])
            patch.setattr(drawing, "deterministic", lambda seed: None)  # it would change this whole process
            with pytest.raises(SystemExit) as leaving:
                main()
        return leaving.value.code, out.getvalue(), err.getvalue()

    return call


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def state(path):
    return path.read_bytes(), path.stat().st_mtime_ns


@pytest.fixture(scope="module")
def of_file(tmp_path_factory, tiny, command):
    """The atlas of a model file, made with the defaults except for its size and steps: (folder, output)."""
    folder = tmp_path_factory.mktemp("atlas")
    tiny.save(folder / "tiny.keras")
    code, out, err = command(folder, "tiny.keras", "--input-range", -1, 1, *FAST)
    assert code == 0, err
    return folder, out


def test_a_model_file_has_a_tile_for_each_layer(of_file):
    folder, out = of_file
    atlas = folder / "tiny-layers"
    assert out.split() == ["tiny-layers/atlas.png", "tiny-layers/index.html"]
    layers = ["c1", "b1", "r1", "c2", "r2", "c3"]
    assert {path.stem for path in (atlas / "tiles").iterdir()} == {*layers, "photo"}
    before = pixels(atlas / "tiles" / "photo.png")
    for name in layers:
        recipe = manifest_in(atlas / "tiles" / f"{name}.png")["recipe"]
        assert recipe["objectives"] == [{"l2": {"layer": name, "weight": 1.0}}]
        assert pixels(atlas / "tiles" / f"{name}.png").shape == before.shape == (48, 64, 3)
        assert (pixels(atlas / "tiles" / f"{name}.png") != before).any()


def test_the_sheet_contains_every_tile(of_file):
    folder, _ = of_file
    whole = pixels(folder / "tiny-layers" / "atlas.png")
    for path in (folder / "tiny-layers" / "tiles").iterdir():
        tile = pixels(path)
        places = np.argwhere((whole == tile[0, 0]).all(axis=2))
        assert any((whole[y : y + 48, x : x + 64] == tile).all() for y, x in places if whole[y:, x:].size >= tile.size)


@pytest.mark.parametrize("width", [36, 64, 288])
@pytest.mark.parametrize("text", ["block11_expand_activation", "672 channels, stride 16", "c1", "responds"])
def test_no_label_is_wider_than_its_tile(text, width):
    shown, font = sheet._fitted(sheet.Label(text, sheet.NAME, sheet.BRIGHT), width)
    assert font.getlength(shown) <= width
    start, dots, end = shown.partition("…")
    assert shown == text or (dots and len(shown) >= 5 and text.startswith(start) and text.endswith(end))
    assert not (dots and " " in text and end)
    assert width < 288 or shown == text


def test_the_page_lists_every_layer_and_loads_nothing_else(of_file, read_page):
    folder, _ = of_file
    text = (folder / "tiny-layers" / "index.html").read_text(encoding="utf-8")
    found = read_page(text)
    files = [image["src"] for image in found.images]
    assert files == found.links == [f"tiles/{name}.png" for name in ("photo", "c1", "b1", "r1", "c2", "r2", "c3")]
    assert all((folder / "tiny-layers" / file).is_file() for file in files)
    assert all(image["alt"] and image["width"] == "64" for image in found.images)
    assert "8 channels, stride 2" in found.text
    assert "Sees 15×15 pixels at a time: enough for edges and spots of colour." in found.text
    assert "emphasises" in found.text.partition("Channels")[0]
    assert not {"script", "link", "iframe"} & set(found.tags)
    assert "http" not in text
    assert "$" not in text


def test_finished_tiles_are_not_drawn_again(of_file, command):
    folder, first = of_file
    tiles = {path: state(path) for path in (folder / "tiny-layers" / "tiles").iterdir() if path.name != "photo.png"}
    code, out, err = command(folder, "tiny.keras", "--input-range", -1, 1, *FAST)
    assert (code, out) == (0, first)
    assert err.count("already done") == len(tiles) == 6
    assert {path: state(path) for path in tiles} == tiles
    other = "--size", 64, "-s", "octaves.steps=3"
    code, _, err = command(folder, "tiny.keras", "--input-range", -1, 1, *other)
    assert code == 1
    (line,) = [line for line in err.splitlines() if line.startswith("kerasdream:")]
    assert "tiles/c1.png exists and is a different picture (recipe.octaves.steps is 3, was 2)" in line


def test_an_interrupted_atlas_is_resumed(tmp_path, tiny, command, read_page, monkeypatch):
    tiny.save(tmp_path / "tiny.keras")
    arguments = ["tiny.keras", "--input-range", "-1", "1", "--layers", "c1,c2", "--size", "64", "-o", "out"]
    arguments += ["-s", "octaves={count: 1, steps: 8}"]
    first, second = tmp_path / "out" / "tiles" / "c1.png", tmp_path / "out" / "tiles" / "c2.png"

    class Stopped(display.TileDisplay):
        def __call__(self, event):
            super().__call__(event)
            if self.name == "c2" and isinstance(event, Stepped) and event.progress.step == 3:
                raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(display, "TileDisplay", Stopped)
        code, _, err = command(tmp_path, *arguments)
    assert code == 130
    assert "2/2 c2: interrupted; partial result saved" in err
    assert "atlas tiny.keras --input-range -1 1 --layers c1,c2" in err
    assert manifest_in(second)["interrupted"]
    assert not (tmp_path / "out" / "atlas.png").exists()
    before = state(first)
    code, _, err = command(tmp_path, *arguments)
    assert code == 0, err
    assert state(first) == before
    assert "1/2 c1: already done" in err
    assert "interrupted" not in manifest_in(second)
    assert {path.name for path in first.parent.iterdir()} == {"c1.png", "c2.png", "photo.png"}
    assert len(read_page((tmp_path / "out" / "index.html").read_text()).images) == 3


def test_channels_are_drawn_and_a_silent_one_is_left_out(tmp_path, tiny, command, read_page):
    model = keras.models.clone_model(tiny)
    model.set_weights(tiny.get_weights())
    kernel, bias = model.get_layer("c2").get_weights()
    kernel[..., 1] = 0  # channel 1 of c2 is constant
    model.get_layer("c2").set_weights([kernel, bias])
    model.save(tmp_path / "tiny.keras")
    arguments = "--layers", "c1,c2", "--channels", "0:2", "--size", 64, "-s", "octaves={count: 1, steps: 2}"
    code, _, err = command(tmp_path, "tiny.keras", "--input-range", -1, 1, *arguments)
    assert code == 0, err
    out = tmp_path / "tiny-channels"
    assert "4/4 c2 channel 1: nothing responds" in err
    assert {path.stem for path in (out / "tiles").iterdir()} == {"c1-channel-0", "c1-channel-1", "c2-channel-0"}
    found = read_page((out / "index.html").read_text())
    assert all(name in found.text for name in ("c1", "c2", "channel 0", "channel 1"))
    assert found.text.count("Nothing responds") == 1
    assert len(found.images) == 3
    atlas = content.of_channels("tiny", [tables.Layer("c1", 8, 2, 3, (2, 0, 3))], [0])
    assert sheet.cell_size(atlas, out / "tiles") == (64, 64)


def test_layers_of_a_built_network_have_the_columns_of_a_table(tiny):
    known = tables.layers_of(Network("tiny", tiny, from_range(-1, 1)))
    assert [(layer.name, layer.channels, layer.stride, layer.field) for layer in known] == [
        ("c1", 8, 2, 3), ("b1", 8, 2, 3), ("r1", 8, 2, 3), ("c2", 8, 4, 7), ("r2", 8, 4, 7), ("c3", 4, 4, 15),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("efficientnet_lite0 --layers block5_expnd", 1, "efficientnet_lite0 has no layer 'block5_expnd'; did you mean"),
        ("efficientnet_lite0 --layers stem --channels 30:40", 1, "the layer 'stem' has 32 channels; expected 0 to 31"),
        ("efficientnet_lite0 --channels 0:x", 2, "expected numbers, such as 0:16 or 3,7, not 0:x"),
        ("efficientnet_lite0 --classes flmingo", 1, "did you mean 'flamingo'"),
        ("efficientnet_lite0 --classes 3 --channels 3", 2, "leave out --layers and --channels"),
        ("efficientnet_lite0 --photo nothing.jpg -o OUT", 1, "nothing.jpg: there is no such file"),
        ("efficientnet_lite0 --size 8", 2, "8 is not in the range"),
        ("vgg61", 1, "unknown model 'vgg61'; did you mean 'vgg19' or 'vgg16'"),
        ("nothing.keras", 1, "the model file nothing.keras does not exist"),
        ("tiny.keras", 1, "which pixel values does tiny.keras expect? Add --input-range"),
        (
            "tiny.keras --input-range -1 1 --layers c9",
            1,
            "tiny.keras has no layer 'c9'; available: c1, b1, r1, c2, r2",
        ),
    ],
)
def test_errors_are_one_sentence(here, folder, monkeypatch, arguments, code, words):
    monkeypatch.chdir(folder)
    left, out, err = here("atlas", *arguments.replace("OUT", str(folder / "out")).split())
    assert (left, out) == (code, "")
    assert words in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not list(folder.glob("**/*.part"))


@pytest.fixture
def flat(tmp_path):
    """A folder with the commonest own network: c1, c2, then layers without positions."""
    layers = keras.layers
    convolutions = [layers.Conv2D(4, 3, strides=2, activation="relu", name=name) for name in ("c1", "c2")]
    model = keras.Sequential(
        [keras.Input((64, 64, 3)), *convolutions, layers.Flatten(name="flat"), layers.Dense(5, name="answer")]
    )
    model.save(tmp_path / "flat.keras")
    return tmp_path


def test_layers_without_positions_are_listed_and_the_others_drawn(flat, command):
    arguments = "flat.keras", "--input-range", 0, 255, *FAST
    code, _, err = command(flat, *arguments)
    assert code == 0, err
    assert "not drawn, because they have no positions in a picture: flat, answer; to draw classes" in err
    assert {path.stem for path in (flat / "flat-layers" / "tiles").iterdir()} == {"c1", "c2", "photo"}


def test_what_cannot_be_drawn_is_listed_with_the_reason(flat, command):
    arguments = "flat.keras", "--input-range", 0, 255, *FAST, "-s", "views=tiles"
    code, _, err = command(flat, *arguments, "--layers", "c2,flat")
    assert code == 0, err
    assert "2/2 flat: not drawn: " in err
    assert "flat" not in (flat / "flat-layers" / "index.html").read_text().partition("</title>")[2].replace(
        "flat.keras", ""
    )
    code, _, err = command(flat, *arguments, "--layers", "flat", "-o", "other")
    assert code == 1
    assert "nothing could be drawn: " in err.splitlines()[-1]
