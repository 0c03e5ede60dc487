"""The sections of a run file."""

from __future__ import annotations

import pytest

from kerasdream import ConfigError
from kerasdream.config.document import parse
from kerasdream.config.resolve import resolve


@pytest.mark.parametrize(
    ("frames", "words"),
    [
        ("{count: 0}", "2:10: frames.count: expected at least 1, not 0"),
        ("{zoom: 0}", "frames.zoom: expected more than 0, not 0"),
        ("{shift: [0.1]}", "frames.shift"),
        ("{zom: 1.1}", "did you mean 'zoom'?"),
        ("100", "expected a mapping of count, zoom, rotate, shift, anchor, not 100"),
    ],
)
def test_wrong_frames_are_errors(tmp_path, frames, words):
    with pytest.raises(ConfigError) as caught:
        resolve(parse(f"image: photo.jpg\nframes: {frames}\n", "f.yaml"), tmp_path)
    assert words in str(caught.value)
