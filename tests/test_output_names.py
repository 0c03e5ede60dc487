"""The names of outputs."""

from __future__ import annotations

from pathlib import Path

import pytest

from kerasdream import OutputError
from kerasdream.output_names import files_of, filled


def test_frames_are_numbered_so_that_names_sort():
    path = Path(filled("{stem}-{seed}-{frame}.png", {"stem": "cat", "seed": "7"}))
    assert [file.name for file in files_of(path, 2)] == ["cat-7-0001.png", "cat-7-0002.png"]
    long = files_of(path, 12_000)
    assert (long[0].name, long[-1].name) == ("cat-7-00001.png", "cat-7-12000.png")
    assert sorted(long) == long
    assert files_of(Path("cat.gif"), 100) == [Path("cat.gif")]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("a/{frame}/b.png", "has {frame} in a folder's name; move it to the file's name"),
        ("{number}.png", "has {number}; expected {stem}, {seed}, {frame}"),
    ],
)
def test_wrong_paths_are_errors(path, words):
    with pytest.raises(OutputError) as caught:
        filled(path, {"stem": "cat", "seed": "7"})
    assert words in str(caught.value)
