"""The recipe inside a picture, and files that abuse it."""

import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from kerasdream import images
from kerasdream.errors import OutputError
from kerasdream.images import files
from tests.images.pictures import CAT, png, put, rejected

TINY = np.zeros((2, 3, 3), np.float32)
every_format = pytest.mark.parametrize("format", ["png", "jpeg", "webp", "tiff"])


@every_format
@given(recipe=st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
@settings(max_examples=50, deadline=None)
def test_recipe_round_trip(tmp_path_factory, format, recipe):
    path = tmp_path_factory.getbasetemp() / "recipe"
    images.save(path, TINY, format=format, recipe=recipe)
    assert images.read_recipe(path) == (recipe or None)


@every_format
@pytest.mark.parametrize("count", [65_521, 65_522, 65_523, 200_000, 2_000_000])
def test_long_recipes(tmp_path, format, count):
    recipe = ("kerasdream\nGrün 夢\n" * count).encode()[:count].decode(errors="ignore")
    assert len(recipe.encode()) > count - 4
    images.save(tmp_path / "p", TINY, format=format, recipe=recipe)
    assert images.read_recipe(tmp_path / "p") == recipe
    with Image.open(tmp_path / "p") as stored:  # and it is still a picture to everyone
        stored.load()
    assert images.read(tmp_path / "p").pixels.shape == TINY.shape


@every_format
def test_too_long_recipe_is_rejected(tmp_path, format):
    with pytest.raises(OutputError, match="p: the recipe"):
        images.save(tmp_path / "p", TINY, format=format, recipe="r" * (images.MAX_RECIPE_BYTES + 1))
    assert os.listdir(tmp_path) == []
    images.save(tmp_path / "p", TINY, format=format, recipe="r" * images.MAX_RECIPE_BYTES)
    assert len(images.read_recipe(tmp_path / "p")) == images.MAX_RECIPE_BYTES


def test_pictures_without_a_recipe(tmp_path):
    note = PngImagePlugin.PngInfo()
    note.add_text("kerasdreamer", "no recipe")
    note.add_itxt("Title", "kerasdream")
    for name, options in {
        "a.png": {"pnginfo": note},
        "b.jpg": {"comment": b"kerasdream is nice"},
        "c.jpg": {"progressive": True},
        "d.tif": {},
        "e.gif": {},
        "f.webp": {},
    }.items():
        assert images.read_recipe(put(tmp_path / name, CAT, **options)) is None


def test_recipe_compressed_by_another_tool(tmp_path):
    note = PngImagePlugin.PngInfo()
    note.add_itxt("kerasdream", "Grün 夢", lang="de", tkey="Rezept", zip=True)
    assert images.read_recipe(put(tmp_path / "zip.png", CAT, pnginfo=note)) == "Grün 夢"


def test_recipe_after_the_pixels(tmp_path):
    note = PngImagePlugin.PngInfo()
    note.add(b"iTXt", b"kerasdream\0\0\0\0\0later", after_idat=True)
    assert images.read_recipe(put(tmp_path / "late.png", CAT, pnginfo=note)) == "later"


SHORT_LIMIT = 2**20
HOSTILE = {
    "unpacks to too much": png((1, 1), 0, (b"iTXt", b"kerasdream\0\1\0\0\0" + zlib.compress(bytes(2**27)))),
    "not zlib": png((1, 1), 0, (b"iTXt", b"kerasdream\0\1\0\0\0nonsense")),
    "not utf-8": png((1, 1), 0, (b"iTXt", b"kerasdream\0\0\0\0\0\xff\xfe")),
    "no fields": png((1, 1), 0, (b"iTXt", b"kerasdream\0")),
    "too long": png((1, 1), 0, (b"iTXt", b"kerasdream\0\0\0\0\0" + b"r" * (SHORT_LIMIT + 2048))),
    "wrong checksum": png((1, 1), 0, (b"iTXt", b"kerasdream\0\0\0\0\0text")).replace(b"text", b"test"),
    "a chunk of 2 GB": png((1, 1), 0)[:-12] + struct.pack(">I", 2**31 - 1) + b"iTXtkerasdream\0\0\0\0\0text",
    "no end": png((1, 1), 0)[:-12],
    "jpeg, too long": b"\xff\xd8" + (b"\xff\xfe\xff\xffkerasdream\n" + b"r" * 65_522) * 120 + b"\xff\xd9\0\0",
    "jpeg, not utf-8": b"\xff\xd8\xff\xfe\0\x0fkerasdream\n\xff\xfe\xff\xd9\0\0",
    "jpeg, no segments": b"\xff\xd8\xff\xe0\0\x10JFIFnonsense",
    "jpeg, cut short": b"\xff\xd8\xff\xe0\0\x04ab\xff",
}


def rejected_cheaply(path, match, monkeypatch):
    monkeypatch.setattr(images.recipe, "MAX_RECIPE_BYTES", SHORT_LIMIT)
    tracemalloc.start()
    try:
        rejected(path, match, (images.read_recipe,))
        assert tracemalloc.get_traced_memory()[1] < 5 * SHORT_LIMIT
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_recipes(tmp_path, monkeypatch, kind):
    (tmp_path / "hostile").write_bytes(HOSTILE[kind])
    rejected_cheaply(tmp_path / "hostile", "recipe is corrupt|truncated", monkeypatch)


def test_comment_of_invalid_length_reads_nothing(tmp_path, monkeypatch):
    (tmp_path / "p.jpg").write_bytes(b"\xff\xd8\xff\xfe\0\0kerasdream\n")
    os.truncate(tmp_path / "p.jpg", 2**28)
    rejected_cheaply(tmp_path / "p.jpg", "truncated or corrupt", monkeypatch)


@pytest.mark.parametrize("data", [files.PNG_SIGNATURE + bytes(12) * 50, b"\xff\xd8\xff" + b"\xff" * 500])
def test_number_of_chunks_is_limited(tmp_path, monkeypatch, data):
    monkeypatch.setattr(files, "MAX_PARTS", 20)
    (tmp_path / "p").write_bytes(data)
    rejected(tmp_path / "p", "over 20", (images.read_recipe,))


def test_missing_file_has_no_recipe(tmp_path):
    rejected(tmp_path / "none.png", "no such file", (images.read_recipe,))
