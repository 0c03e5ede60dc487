"""Patterns for pictures: what they match, and that they do not search the disk."""

import glob
import os
from pathlib import Path

import pytest

from kerasdream.errors import ImageError
from kerasdream.images import several
from kerasdream.images.several import is_glob, matching


@pytest.fixture
def photos(tmp_path):
    for name in ("a.jpg", "b.png", "deep/c.jpg", "deep/er/d.jpg", ".hidden/e.jpg", ".f.jpg", "[1].jpg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    os.symlink(tmp_path, tmp_path / "deep" / "loop")
    return tmp_path


@pytest.mark.parametrize(
    "pattern",
    [
        "*.jpg",
        "deep/*.jpg",
        "*/*/*.jpg",
        "?.p*",
        ".*.jpg",
        ".h*/*",
        "[a-b].*",
        "nothing/*",
        "deep/../*.jpg",
        "d*/er/d.jpg",
    ],
)
def test_patterns_match_as_in_python(photos, pattern):
    expected = sorted(photos / name for name in glob.glob(pattern, root_dir=photos))
    assert matching(pattern, photos) == expected
    assert matching(str(photos / pattern), Path("/nowhere")) == expected


def test_two_stars_stand_for_any_folders_but_follow_no_links(photos):
    names = ["[1].jpg", "a.jpg", "deep/c.jpg", "deep/er/d.jpg"]
    assert matching("**/*.jpg", photos) == [photos / name for name in names]
    assert photos / "deep" / "er" / "d.jpg" in matching("deep/**", photos)


def test_a_file_with_brackets_in_its_name_is_no_pattern(photos):
    assert not is_glob("[1].jpg", photos)
    assert is_glob("[2].jpg", photos)


@pytest.mark.parametrize("pattern", ["**", "/**/*.jpg", "/*/*/*/*/*/*"])
def test_a_pattern_does_not_search_the_disk(photos, pattern, monkeypatch):
    monkeypatch.setattr(several, "MOST_VISITED", 3)
    with pytest.raises(ImageError, match=r"more than 3 files and folders would be searched; name a folder nearer"):
        matching(pattern, photos)
