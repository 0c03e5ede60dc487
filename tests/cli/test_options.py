"""What commands share: the message on Ctrl-C, reported errors, the output folder."""

from __future__ import annotations

import signal
import sys

import click
import pytest

from kerasdream.cli.options import create, interruptible, reported
from kerasdream.errors import ConfigError, ImageError, OutputError


def interrupted():
    with interruptible("--resume"):
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
        raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("arguments", "resumed"),
    [
        (["run", "a.yaml", "-q"], "run --resume a.yaml -q"),
        (["run", "--resume", "my dream.yaml"], "run --resume 'my dream.yaml'"),
    ],
)
def test_interruption_prints_the_command_that_resumes(monkeypatch, capsys, arguments, resumed):
    monkeypatch.setattr(sys, "argv", ["/bin/kerasdream", *arguments])
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(click.Abort):
        interrupted()
    assert capsys.readouterr().err == f"kerasdream: stopped; go on with: /bin/kerasdream {resumed}\n"
    assert signal.getsignal(signal.SIGTERM) is before


def test_reported_error_is_printed_line_by_line_and_others_are_raised(capsys):
    with reported() as outcome:
        raise ConfigError("a.yaml:1: one\na.yaml:2: two")
    assert outcome.failed
    assert capsys.readouterr().err == "kerasdream: a.yaml:1: one\nkerasdream: a.yaml:2: two\n"
    with reported() as outcome:
        pass
    assert not outcome.failed
    with pytest.raises(ConfigError), reported(ImageError):
        raise ConfigError("not an image")


def test_folder_that_cannot_be_created(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"the folder .*file/out cannot be created: Not a directory"):
        create(tmp_path / "file" / "out")
    create(tmp_path / "a" / "b")
    create(tmp_path / "a" / "b")
    assert (tmp_path / "a" / "b").is_dir()
