"""An unexpected exception is two short lines on stderr, and a log with all that a report needs."""

from __future__ import annotations

import re
from pathlib import Path

import click

from kerasdream.cli.main import cli


def test_unexpected_error_leaves_a_log(here, monkeypatch):
    def crash():
        raise ZeroDivisionError("one\ntwo")

    monkeypatch.setitem(cli.commands, "crash", click.Command("crash", callback=crash))
    code, out, err = here("crash")
    assert (code, out) == (3, "")
    first, second = err.splitlines()
    assert first == "kerasdream: unexpected error: ZeroDivisionError: one"
    log = Path(re.fullmatch(r"kerasdream: the traceback is in (.+\.log); please report it", second)[1])
    text = log.read_text()
    log.unlink()
    assert "Traceback (most recent call last)" in text
    assert "in crash" in text
    for name in ("kerasdream", "python", "tensorflow", "keras", "numpy", "pillow"):
        assert re.search(rf"^{name} \d+\.", text, re.MULTILINE)
