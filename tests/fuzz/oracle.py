"""What must hold of a command whatever it is given, checked in this process."""

from __future__ import annotations

import contextlib
import io
import os
import re
import resource
import signal
import sys
import time
from unittest import mock

from kerasdream.cli import main as cli

SECONDS, BYTES, MEMORY = 10, 4096, 2**30
"""Most that one command may take: time, length of its message, memory."""

EXAMPLES = int(os.environ.get("KERASDREAM_FUZZ", "0"))
"""How many inputs of each kind to try; 0: a few, always the same."""

RAW = re.compile(r"[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\ud800-\udfff]")


class Hangs(BaseException):
    """No exception that a command could catch."""


def _stop(*_):
    raise Hangs


def wrong_with(*arguments):
    """Run a command; return what it must not have done, in words, and nothing if all is well."""
    told, crash, code = io.StringIO(), [], None
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    handler = signal.signal(signal.SIGALRM, _stop)
    signal.alarm(SECONDS)
    try:
        with (
            mock.patch.object(sys, "argv", ["kerasdream", *map(str, arguments)]),
            mock.patch.object(cli, "write_log", lambda error: crash.append(error) or "log"),
            mock.patch("click.utils.should_strip_ansi", return_value=False),  # as on a terminal
            contextlib.redirect_stdout(told),
            contextlib.redirect_stderr(told),
        ):
            cli.main()
    except SystemExit as left:
        code = left.code
    except Hangs:
        return f"no end within {SECONDS} s"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, handler)
    text = told.getvalue()
    more = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    found = {
        f"an unexpected error: {crash!r}": crash,
        f"exit code {code}": code not in (0, 1, 2),
        f"a message of {len(text)} characters": code and len(text.encode(errors="replace")) > BYTES,
        f"no message, exit code {code}": not text.strip(),
        f"a traceback: {text[-300:]}": "Traceback" in text,
        f"raw control characters: {text!r}": RAW.search(text),
        f"{more >> 20} MB": more > MEMORY,
        f"{time.perf_counter() - began:.1f} s": time.perf_counter() - began > SECONDS,
    }
    return "; ".join(what for what, happened in found.items() if happened)
