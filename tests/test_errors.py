"""Messages fit on a screen and cannot control it."""

import pytest

from kerasdream.errors import LINES, SCREEN, ConfigError, ImageError, Place, Problem, printable, shortened


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[31mred\x1b[0m.jpg", r"\x1b[31mred\x1b[0m.jpg"),
        ("a\rb\x07\x9b5m\x7f", r"a\rb\x07\x9b5m\x7f"),
        ("gpj.\u202ekcatta", r"gpj.\u202ekcatta"),
        ("\udcff.jpg", r"\udcff.jpg"),
        ("Zoë 😀\tשלום\nnext", "Zoë 😀\tשלום\nnext"),
    ],
)
def test_what_controls_a_terminal_is_escaped(text, shown):
    assert printable(text) == shown
    assert str(ImageError(text)) == shown


def test_a_long_line_keeps_its_start_and_its_end():
    text = str(ImageError(f"run.yaml:1:2: {'é' * 50_000}: there is no such file"))
    assert text.startswith("run.yaml:1:2: éé")
    assert text.endswith("é: there is no such file")
    assert len(text.encode()) <= 1000
    assert shortened("short") == "short"
    assert str(Place("a" * 5000, 1, 2)).endswith("a:1:2")


@pytest.mark.parametrize("line", ["short", "😀" * 3000])
def test_many_errors_are_counted(line):
    problems = [Problem((), Place("a.yaml", number, 1), line) for number in range(1, 3001)]
    error = ConfigError.of(problems)
    lines = str(error).splitlines()
    assert len(str(error).encode()) <= SCREEN + 100
    assert len(lines) <= LINES + 1
    assert lines[0].startswith("a.yaml:1:1: ")
    assert lines[-1] == f"... and {3000 - len(lines) + 1:,} more lines like these"
    assert len(error.problems) == 3000
