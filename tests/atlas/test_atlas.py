"""``kerasdream atlas``: tiles, sheet and page, in processes of their own; going on after an end; faults."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from kerasdream.atlas import content, page, sheet
from kerasdream.atlas.content import Tile
from kerasdream.components import Network, from_range
from kerasdream.config.recipes import manifest_in
from kerasdream.errors import ConfigError, DreamError
from kerasdream.models import tables

FAST = "--size", 64, "-s", "octaves.steps=2"


class Page(HTMLParser):
    """Reads a page: its text, pictures and links; every element is closed where it should be."""

    EMPTY = "meta", "img", "br"

    def __init__(self, text):
        super().__init__()
        self.open, self.text, self.images, self.links, self.tags = [], "", [], [], []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag not in self.EMPTY:
            self.open.append(tag)
        if tag == "img":
            self.images.append(dict(attributes))
        if tag == "a":
            self.links.append(dict(attributes)["href"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def state(path):
    return path.read_bytes(), path.stat().st_mtime_ns


@pytest.fixture(scope="module")
def of_file(tmp_path_factory, tiny, process):
    """The atlas of a model file, made with the defaults but for its size and steps."""
    folder = tmp_path_factory.mktemp("atlas")
    tiny.save(folder / "tiny.keras")
    done = process("atlas", "tiny.keras", "--input-range", -1, 1, *FAST, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder, done


def test_a_model_file_has_a_tile_for_each_layer(of_file):
    folder, done = of_file
    atlas = folder / "tiny-layers"
    assert done.stdout.split() == ["tiny-layers/atlas.png", "tiny-layers/index.html"]
    layers = ["c1", "b1", "r1", "c2", "r2", "c3"]
    assert sorted(path.name for path in (atlas / "tiles").iterdir()) == sorted(
        f"{name}.png" for name in [*layers, "photo"]
    )
    before = pixels(atlas / "tiles" / "photo.png")
    for name in layers:
        recipe = manifest_in(atlas / "tiles" / f"{name}.png")["recipe"]
        assert recipe["objectives"] == [{"l2": {"layer": name, "weight": 1.0}}]
        assert pixels(atlas / "tiles" / f"{name}.png").shape == before.shape == (48, 64, 3)
        assert (pixels(atlas / "tiles" / f"{name}.png") != before).any()


def test_the_sheet_holds_every_tile(of_file):
    folder, _ = of_file
    whole = pixels(folder / "tiny-layers" / "atlas.png")
    for path in (folder / "tiny-layers" / "tiles").iterdir():
        tile = pixels(path)
        places = np.argwhere((whole == tile[0, 0]).all(axis=2))
        assert any((whole[y : y + 48, x : x + 64] == tile).all() for y, x in places if whole[y:, x:].size >= tile.size)


def test_the_page_lists_every_layer_and_needs_nothing_from_elsewhere(of_file):
    folder, _ = of_file
    text = (folder / "tiny-layers" / "index.html").read_text(encoding="utf-8")
    found = Page(text)
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


def test_what_is_there_is_not_drawn_again(of_file, process):
    folder, first = of_file
    tiles = {path: state(path) for path in (folder / "tiny-layers" / "tiles").iterdir() if path.name != "photo.png"}
    again = process("atlas", "tiny.keras", "--input-range", -1, 1, *FAST, cwd=folder)
    assert (again.returncode, again.stdout) == (0, first.stdout)
    assert again.stderr.count("there already") == len(tiles) == 6
    assert {path: state(path) for path in tiles} == tiles
    other = process("atlas", "tiny.keras", "--input-range", -1, 1, "--size", 64, "-s", "octaves.steps=3", cwd=folder)
    assert other.returncode == 1
    (line,) = [line for line in other.stderr.splitlines() if line.startswith("kerasdream:")]
    assert "tiles/c1.png exists and is another picture (recipe.octaves.steps is 3, was 2)" in line


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_ended_it_goes_on(tmp_path, tiny, process, how):
    tiny.save(tmp_path / "tiny.keras")
    arguments = ["atlas", "tiny.keras", "--input-range", "-1", "1", "--layers", "c1,c2", "--size", "64", "-o", "out"]
    arguments += ["-s", "octaves={count: 1, steps: 400}"]
    running = subprocess.Popen(
        [sys.executable, "-m", "kerasdream", *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    first, second = tmp_path / "out" / "tiles" / "c1.png", tmp_path / "out" / "tiles" / ".c2.png.checkpoint"
    until = time.monotonic() + 90
    while not second.exists():
        assert time.monotonic() < until
        assert running.poll() is None
        time.sleep(0.005)
    running.send_signal(how)
    _, errors = running.communicate(timeout=60)
    if how == signal.SIGINT:
        assert running.returncode == 130
        assert "to go on: " in errors
        assert "atlas tiny.keras --input-range -1 1 --layers c1,c2" in errors
    before = state(first)
    assert not (tmp_path / "out" / "atlas.png").exists()
    done = process(*arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert state(first) == before
    assert "1/2 c1: there already" in done.stderr
    assert not second.exists()
    assert len(Page((tmp_path / "out" / "index.html").read_text()).images) == 3
    assert "interrupted" not in manifest_in(first.with_name("c2.png"))


def test_channels_of_the_embedded_network(tmp_path, process):
    layers = "block5_expand,block11_expand"
    steps = "octaves={count: 1, steps: 2}"
    done = process(
        "atlas", "efficientnet_lite0", "--layers", layers, "--channels", "3:5", "--size", 64, "-s", steps, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    out = tmp_path / "efficientnet_lite0-channels"
    drawn = {path.stem for path in (out / "tiles").iterdir()}
    wanted = [f"{layer}-channel-{number}" for layer in layers.split(",") for number in (3, 4)]
    silent = [name for name in wanted if f"{name.replace('-channel-', ' channel ')}: nothing responds" in done.stderr]
    assert drawn == set(wanted) - set(silent)
    assert "block5_expand-channel-3" in drawn
    found = Page((out / "index.html").read_text())
    assert all(name in found.text for name in (*layers.split(","), "channel 3", "channel 4"))
    assert found.text.count("Nothing responds") == len(silent)
    assert len(found.images) == len(drawn)
    assert sheet.cell_size(content.of_channels("efficientnet_lite0", rows("block5_expand"), [3]), out / "tiles") == (
        64,
        64,
    )


def rows(*names):
    return [layer for layer in tables.layers("efficientnet_lite0") if layer.name in names]


def test_what_nothing_responds_to_has_an_empty_place(tmp_path):
    atlas = content.of_channels("efficientnet_lite0", rows("stem"), [0, 1])
    with pytest.raises(DreamError, match="nothing responds to any of this"):
        sheet.make(atlas, tmp_path)
    Image.new("RGB", (64, 64), (200, 0, 0)).save(tmp_path / "stem-channel-1.png")
    whole = np.asarray(sheet.make(atlas, tmp_path))
    assert (whole == (200, 0, 0)).all(axis=2).sum() == 64 * 64
    found = Page(page.make(atlas, tmp_path))
    assert found.text.count("Nothing responds") == len(found.images) == 1
    assert found.tags.count("figure") == 2
    assert "nothing in the noise excited the channel" in " ".join(found.text.split())


def test_names_are_escaped(tmp_path):
    layer = tables.Layer("a<b>/c&d", 3, 2, 7, (2, 0, 3))
    atlas = content.of_layers('"model"', [layer], None)
    (tile,) = atlas.tiles
    assert tile.file == "a-b-c-d"
    Image.new("RGB", (64, 48)).save(tmp_path / f"{tile.file}.png")
    found = Page(page.make(atlas, tmp_path))
    assert "a<b>/c&d" in found.text
    assert 'layer a<b>/c&d of "model"' in found.images[0]["alt"]


def test_layers_of_a_network_that_is_built_are_those_of_the_table(tiny):
    known = tables.layers_of(Network("tiny", tiny, from_range(-1, 1)))
    assert [(layer.name, layer.channels, layer.stride, layer.field) for layer in known] == [
        ("c1", 8, 2, 3), ("b1", 8, 2, 3), ("r1", 8, 2, 3), ("c2", 8, 4, 7), ("r2", 8, 4, 7), ("c3", 4, 4, 15),
    ]  # fmt: skip


@pytest.mark.parametrize("model", ["efficientnet_lite0", "inception_v3", "vgg16", "resnet50", "convnext_tiny"])
@pytest.mark.parametrize("channels", [False, True])
def test_default_layers_are_there_and_have_positions(model, channels):
    known = {layer.name: layer for layer in tables.layers(model)}
    names = content.default_layers(model, list(known.values()), channels)
    assert len(set(names)) == len(names) >= 9
    assert all(known[name].stride for name in names)
    assert [name for name in known if name in names] == names


def test_every_default_run_is_valid():
    from kerasdream.config.document import Document
    from kerasdream.config.run_config import resolve

    known = tables.layers("efficientnet_lite0")
    atlases = [
        content.of_layers("efficientnet_lite0", known, content.PHOTO),
        content.of_layers("efficientnet_lite0", known[:9], None),
        content.of_channels("efficientnet_lite0", rows("stem", "head"), [0, 31]),
        content.of_classes("efficientnet_lite0", [0, 999], True),
    ]
    for atlas in atlases:
        for tile in atlas.tiles:
            config = resolve(Document(content.run_of(atlas, tile, 64), "atlas"), content.PHOTO.parent)
            assert config.model.name == "efficientnet_lite0"


def test_deeper_layers_tell_more():
    whats = [content.meaning(layer) for layer in tables.layers("efficientnet_lite0")]
    ends = list(dict.fromkeys(what.partition("enough for ")[2] for what in whats if "enough for " in what))
    assert ends == [*(f"{what}." for _, what in content.MEANINGS), "whole animals and things."]
    assert whats[-1] == "Answers once, for the picture as a whole."


def test_no_view_is_claimed_for_a_layer_whose_view_is_not_known():
    layer = next(layer for layer in tables.layers("convnext_tiny") if layer.stride and not layer.field)
    assert content.meaning(layer) == "May see the whole picture at a time."
    assert content.facts(layer) == "384 channels, stride 4, may see all of the picture"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("0:3", [0, 1, 2]), ("7", [7]), ("3, 1,5:7", [3, 1, 5, 6]), ("flamingo,5,Great_White_Shark", [130, 5, 2])],
)
def test_lists_of_numbers(text, numbers):
    assert list(content.indices(text, names=True)) == numbers


@pytest.mark.parametrize("text", ["", "a", "3:3", "5:2", ":3", "3:", "-1", "1.5", "1,,2", "0:4:2", "flamingo"])
def test_what_is_no_list_of_numbers(text):
    with pytest.raises(ValueError, match="^" + ("" if "," in text else text) + "$"):
        list(content.indices(text))


def test_what_is_no_class():
    with pytest.raises(ConfigError, match="did you mean 'flamingo'"):
        list(content.indices("flmingo", names=True))


def test_a_class_is_called_by_its_number_and_name():
    (tile,) = content.of_classes("efficientnet_lite0", [130], True).tiles
    assert tile == Tile("class-130", "130 flamingo", {"class": {"index": 130}})
    assert content.of_classes("mine", [3], False).tiles[0].name == "class 3"


def test_a_page_of_classes_tells_of_classes(tmp_path):
    atlas = content.of_classes("efficientnet_lite0", [130], True)
    Image.new("RGB", (64, 64)).save(tmp_path / "class-130.png")
    found = Page(page.make(atlas, tmp_path))
    assert "what its classes look like" in found.text
    assert found.images[0]["alt"] == "What efficientnet_lite0 draws for the class 130 flamingo"
    assert not {"layer", "Channels", "Stride"} & set(found.text.replace(":", " ").split())


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("efficientnet_lite0 --layers block5_expnd", 1, "efficientnet_lite0 has no layer 'block5_expnd'; did you mean"),
        ("efficientnet_lite0 --layers stem --channels 30:40", 1, "the layer 'stem' has 32 channels; expected 0 to 31"),
        ("efficientnet_lite0 --channels 0:x", 2, "expected numbers, as in 0:16 or 3,7, not 0:x"),
        ("efficientnet_lite0 --classes flmingo", 1, "did you mean 'flamingo'"),
        ("efficientnet_lite0 --classes 3 --channels 3", 2, "leave out --layers and --channels"),
        ("efficientnet_lite0 --photo nothing.jpg -o OUT", 1, "nothing.jpg: there is no such file"),
        ("efficientnet_lite0 --size 8", 2, "8 is not in the range"),
        ("vgg61", 1, "unknown model 'vgg61'; did you mean 'vgg19' or 'vgg16'"),
        ("nothing.keras", 1, "the model file nothing.keras does not exist"),
        ("tiny.keras", 1, "what pixel values does tiny.keras expect? Give --input-range 0 255"),
        (
            "tiny.keras --input-range -1 1 --layers c9",
            1,
            "tiny.keras has no layer 'c9'; available: c1, b1, r1, c2, r2",
        ),
    ],
)
def test_faults_are_sentences(here, folder, monkeypatch, arguments, code, words):
    monkeypatch.chdir(folder)
    left, out, err = here("atlas", *arguments.replace("OUT", str(folder / "out")).split())
    assert (left, out) == (code, "")
    assert words in err.splitlines()[-1]
    assert "Traceback" not in err
    assert not list(folder.glob("**/*.part"))
