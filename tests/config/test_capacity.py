"""What needs more memory than this machine has is refused, with the arithmetic."""

import numpy as np
import pytest

from kerasdream import images
from kerasdream.config import capacity
from kerasdream.config.capacity import check_sheet
from kerasdream.config.document import parse
from kerasdream.config.resolve import resolve
from kerasdream.errors import ConfigError, ImageError


@pytest.fixture(autouse=True)
def small_machine(monkeypatch):
    monkeypatch.setattr(capacity, "total_memory", lambda: 2**30)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "image: {source: noise, size: [6000, 6000]}",
            "image.size: 6,000 × 6,000 pixels × 30 bytes is 1,030 MB, and this machine has 1,024 MB; expected less",
        ),
        ("image: {source: noise, panels: [8, 8], size: [1000, 1000]}", "image.size: 64 × 1,000 × 1,000 pixels"),
        ("{image: noise, octaves: {sizes: [[64, 64], [9000, 9000]]}}", "octaves.sizes: 9,000 × 9,000 pixels"),
        ("{image: a.jpg, views: crops, crops: {size: 4000}}", "crops.size: 4,000 × 4,000 pixels × "),
        ("{image: a.jpg, views: crops, crops: {size: 600, count: 250}}", "crops.count: 250 × 600 × 600 pixels × 12"),
        ("{image: {source: noise, size: [100000, 16]}}", "image.size.0: expected at most 65536, not 100000"),
        ("{image: noise, octaves: {steps: 4294967295}}", "octaves.steps: expected at most 100000"),
        ("{image: noise, frames: {count: 2147483647}}", "frames.count: expected at most 100000"),
        (f"image: noise\nmodel: {{ensemble: {['vgg16'] * 17}}}", "networks: expected at most 16 items"),
    ],
)
def test_what_does_not_fit_is_refused(tmp_path, text, words):
    with pytest.raises(ConfigError) as caught:
        resolve(parse(text, "run.yaml"), tmp_path)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "image: {source: noise, size: [5900, 5900]}",
        "image: {source: a.jpg, size: [6000, 6000]}",
        "{image: a.jpg, views: tiles, crops: {size: 4000}}",
        "{image: a.jpg, views: crops, crops: {size: 224, count: 256}}",
    ],
)
def test_what_fits_is_not(tmp_path, text):
    resolve(parse(text, "run.yaml"), tmp_path)


def test_validate_measures_a_photo_that_is_there(tmp_path, here):
    (tmp_path / "run.yaml").write_text("image: {source: a.png, side: 7000}")
    assert here("validate", tmp_path / "run.yaml")[0] == 0
    images.save(tmp_path / "a.png", np.zeros((70, 70, 3), "float32"), format="png")
    code, _, err = here("validate", tmp_path / "run.yaml")
    assert code == 1
    assert "a.png: a dream of 7,000 × 7,000 pixels × 30 bytes is 1,402 MB, and this machine has 1,024 MB" in err


def test_a_photo_is_measured_when_its_turn_comes():
    check_sheet("a.jpg", (5900, 5900))
    with pytest.raises(ImageError, match=r"a\.jpg: a dream of 6,000 × 6,000 pixels × 30 bytes is 1,030 MB"):
        check_sheet("a.jpg", (6000, 6000))
