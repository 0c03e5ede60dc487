"""An ascent chain that says nothing about the length of a step is noted before the run."""

from pathlib import Path

import pytest

from kerasdream.config.document import YamlDocument
from kerasdream.config.resolve import resolve


@pytest.mark.parametrize(
    ("ascent", "note"),
    [
        (["normalize"], "ascent has no rate: a step moves pixels from one end of the range to the other; add - rate: "),
        (["momentum"], "ascent has neither normalize nor rate: a step is as long as the bare gradient"),
        ([], "ascent has neither normalize nor rate"),
        (["normalize", {"rate": 0.02}], ""),
        (["normalize", {"clip": {"limit": 0.02}}], ""),
        ([{"rate": 50.0}], ""),
    ],
)
def test_ascent_without_a_length_is_known_before(ascent, note):
    config = resolve(YamlDocument({"image": "noise", "ascent": ascent}, "run.yaml"), Path("."))
    assert len(config.notes) == bool(note)
    assert not note or config.notes[0].startswith(note)
