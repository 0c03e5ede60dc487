"""The group of commands: help, usage errors, unexpected errors, and how little it imports."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import click
import pytest

from kerasdream import __version__
from kerasdream.cli.main import cli

CONFIGS = Path(__file__).parents[2] / "configs"


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


@pytest.mark.parametrize("command", ["layers LONG", "layers LONG.keras", "dream noise --plugin LONG.py"])
def test_a_name_that_no_file_can_have_is_no_fault_of_ours(here, command):
    code, _, err = here(*command.replace("LONG", "x" * 300).split())
    assert (code, err) == (1, f"kerasdream: {'x' * 30}... is longer than the name of a file can be; check it\n")


@pytest.mark.parametrize("name", [None, *cli.commands])
def test_every_command_has_help(here, name):
    code, out, err = here(*([name] if name else []), "--help")
    assert (code, err) == (0, "")
    assert out.startswith("Usage: ")
    if name is None:
        texts = [command.get_short_help_str(200) for command in cli.commands.values()]
        assert all(text and text[:30] in out for text in texts)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("runn", "No such command 'runn'"),
        ("--verbose", "No such option"),
        ("run", "Missing argument 'FILE...'"),
        ("run a.yaml --bogus", "No such option"),
        ("run a.yaml -s", "requires an argument"),
        ("run a.yaml -o FILE", "is a file"),
        ("dream", "Missing argument 'PHOTO...'"),
        ("dream a.png -o a.bmp", "a.bmp does not end in .png, .jpg"),
        ("dream a.png -o FILE", "does not end in .png, .jpg"),
        ("layers", "Missing argument 'MODEL'"),
        ("show", "Missing argument 'PICTURE'"),
    ],
)
def test_usage_errors_have_exit_code_2(here, tmp_path, arguments, words):
    (tmp_path / "file").touch()
    code, out, err = here(*arguments.replace("FILE", str(tmp_path / "file")).split())
    assert (code, out) == (2, "")
    assert words in err.splitlines()[-1]


DRIVER = """\
import contextlib, io, sys
from kerasdream.cli.main import main

def run(line, banned):
    sys.argv = ["kerasdream", *line.split()]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        try:
            main()
        except SystemExit as leaving:
            code = leaving.code
    heavy = [module for module in banned if module in sys.modules]
    if code or heavy or not out.getvalue():
        print(line, code, heavy)

for line in LIGHT:
    run(line, ["tensorflow", "keras", "scipy", "rich"])
for line in READING:
    run(line, ["tensorflow", "keras"])
"""
LIGHT = "--help", "--version", "run --help", "list", "list objectives", "plugins"
READING = (
    "validate quickstart.yaml",
    "validate my_own_model.yaml",
    "plan quickstart.yaml",
    "plan inception_v3.yaml --json",
    "plan from_noise.yaml",
    "list objectives l2",
    "list models inception_v3",
    "plugins --json",
    "schema",
    "presets",
    "layers efficientnet_lite0",
    "layers inception_v3",
    "show ../docs/gallery/coffee.jpg",
    "classes flamingo",
)


def test_light_commands_skip_tensorflow():
    script = DRIVER.replace("LIGHT", repr(LIGHT)).replace("READING", repr(READING))
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=CONFIGS, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_entry_point_and_module_are_the_same_program(tmp_path):
    script = Path(sysconfig.get_path("scripts")) / "kerasdream"
    for program in ([script], [sys.executable, "-m", "kerasdream"]):
        done = subprocess.run([*program, "--version"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"kerasdream, version {__version__}\n", "")
