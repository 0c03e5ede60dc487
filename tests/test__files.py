"""Files that users and other files name: regular ones are opened, nothing else is."""

import os
import socket

import pytest

from kerasdream import _files
from kerasdream.errors import ImageError


@pytest.fixture
def strange(tmp_path, monkeypatch):
    """A folder with what can have a name and is not a regular file."""
    monkeypatch.chdir(tmp_path)
    os.mkfifo("pipe")
    os.symlink("/dev/zero", "link")
    (tmp_path / "file").write_text("x")
    os.symlink("file", "good")
    with socket.socket(socket.AF_UNIX) as one:
        one.bind("socket")
    return tmp_path


@pytest.mark.parametrize("name", ["pipe", "link", "socket", "/dev/zero", "/proc/self/environ", "/proc/kmsg"])
def test_only_regular_files_are_opened(strange, name):
    """To open a pipe would wait for its other end; /dev/zero and /proc/kmsg have none."""
    assert not _files.is_regular(name)
    with pytest.raises(OSError, match="it is not a regular file"):
        _files.open_regular(name)
    assert "is a device, a pipe or a file of the system's" in _files.not_to_be_opened(strange / name)
    with pytest.raises(ImageError, match="is not a regular file; expected a picture"):
        _files.open_file(name)


def test_links_to_regular_files_are_followed(strange):
    with _files.open_regular("good") as file:
        assert file.read() == b"x"
    assert [_files.not_to_be_opened(strange / name) for name in ("good", "file", "missing", ".")] == [""] * 4


def test_names_that_no_file_can_have_are_refused(tmp_path):
    assert _files.is_too_long("a" * 256)
    assert _files.is_too_long("ä" * 128)
    assert _files.is_too_long("a/" * 2048)
    assert not _files.is_too_long("a/" * 2000)
    assert "at most 255 bytes" in _files.not_to_be_opened(tmp_path / ("a" * 256))
    with pytest.raises(OSError, match="its name has a null character"):
        _files.regular("a\0b")


def test_the_home_of_an_unknown_user_is_a_name_like_others(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert str(_files.at_home("~/a.jpg")) == "/home/me/a.jpg"
    assert str(_files.at_home("~nobody-of-this-name/a.jpg")) == "~nobody-of-this-name/a.jpg"
