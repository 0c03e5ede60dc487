"""Whatever a run file or the recipe in a picture holds, ``validate`` ends soon, with one short message.

``make fuzz`` tries more of them.
"""

import os

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from kerasdream import images
from kerasdream.config.recorded import checksum
from tests.fuzz import run_files
from tests.fuzz.oracle import EXAMPLES, wrong_with

pytestmark = pytest.mark.no_cover

SAMPLE = settings(
    max_examples=EXAMPLES or 40,
    derandomize=not EXAMPLES,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with what the run files name."""
    folder = tmp_path_factory.mktemp("fuzz")
    (folder / "folder").mkdir()
    for name in ("photo.png", "mask.png", "folder/a.png"):
        images.save(folder / name, np.zeros((48, 64, 3), "float32"), format="png")
    for name in ("pipe", "pipe.h5"):
        os.mkfifo(folder / name)
    for name in ("zero.png", "zero.npy"):
        os.symlink("/dev/zero", folder / name)
    (folder / "run.yaml").write_text("image: noise\n")
    return folder


def listed(folder):
    return sorted(str(path) for path in folder.rglob("*"))


@SAMPLE
@given(run_files.texts)
def test_any_run_file_is_checked(folder, text):
    (folder / "any.yaml").write_bytes(text.encode(errors="surrogatepass"))
    before = listed(folder)
    assert wrong_with("validate", folder / "any.yaml") == ""
    assert listed(folder) == before


@SAMPLE
@given(st.lists(run_files.overrides.filter(lambda text: "\0" not in text), min_size=1, max_size=3))
def test_any_override_is_checked(folder, overrides):
    options = [option for text in overrides for option in ("-s", text)]
    assert wrong_with("validate", folder / "run.yaml", *options) == ""


@SAMPLE
@given(run_files.manifests, st.sampled_from(["png", "jpeg", "gif"]), st.lists(st.integers(0, 2**31), max_size=2))
def test_any_recipe_in_a_picture_is_checked(folder, manifest, format, places):
    """And any picture: some bytes are changed."""
    text = manifest.replace("{photo}", checksum(folder / "photo.png")).encode(errors="replace").decode()
    picture = folder / f"any.{format}"
    if format == "gif":
        Image.new("L", (8, 8)).save(picture, comment=images.as_gif_comment(text))
    else:
        images.save(picture, np.zeros((8, 8, 3), "float32"), recipe=text.replace("\0", ""), format=format)
    data = bytearray(picture.read_bytes())
    for place in places:
        data[place % len(data)] ^= 1 << place % 8
    picture.write_bytes(data)
    before = listed(folder)
    for command in (["validate"], ["validate", "--trust"], ["show", "--run-file"]):
        assert wrong_with(*command, picture) == ""
    assert listed(folder) == before
    picture.unlink()


def test_what_must_not_happen_is_noticed(monkeypatch):
    def raising(*_, **__):
        raise RuntimeError("a fault")

    monkeypatch.setattr("kerasdream.config.recipes.load_any", raising)
    assert "an unexpected error: [RuntimeError('a fault')]" in wrong_with("validate", "a.yaml")
    monkeypatch.setattr("kerasdream.config.recipes.load_any", lambda *_, **__: print("\x1b[31m" * 1000) or raising())
    assert "a message of" in (said := wrong_with("validate", "a.yaml"))
    assert "raw control characters" in said
