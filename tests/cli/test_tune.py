"""The command ``tune``: what it measures, chooses, prints and saves."""

from __future__ import annotations

import json
import signal
import sys

import pytest

from kerasdream.cli import tune
from kerasdream.cli.measure import Measured, Timing
from kerasdream.cli.tune import fastest
from kerasdream.errors import DreamError
from kerasdream.plan import tile_size
from kerasdream.plan.tile_size import SMALLEST

OTHER = {"vgg16": {"size": 300, "bytes": 1234}}
"""A rule for another network, which must survive."""


def test_smallest_of_the_fastest_sizes_is_chosen():
    rows = [
        Timing(256, 25, 1.3, 900.0),
        Timing(384, 12, 1.2, 611.0),
        Timing(512, 6, 1.1, 601.0),
        Timing(640, 4, 1.1, 600.0),
    ]
    assert fastest(rows).size == 384
    assert fastest(reversed(rows)).size == 384
    assert fastest(rows[:1]).size == 256
    assert fastest([*rows[:1], Timing(1024, 1, 1.1, 880.0)]).size == 1024


def test_tune_measures_in_a_fresh_process_and_saves_the_rule(rules, folder, here, monkeypatch):
    path = rules(OTHER)
    monkeypatch.chdir(folder)
    code, out, err = here("tune", "tiny.keras", "--layers", "c1, c2", "--memory", "1MB")
    assert code == 0, err
    assert "tiny, c1, c2" in out
    assert f"saved in {path}" in out
    saved = json.loads(path.read_text())
    assert saved["vgg16"] == OTHER["vgg16"]
    assert saved["tiny"]["size"] == SMALLEST  # the only size that fits
    if sys.platform == "linux":
        assert f"{saved['tiny']['bytes']} bytes per tile pixel (measured)" in out


def test_dry_run_shows_the_best_size_and_saves_nothing(rules, folder, here, monkeypatch):
    path = rules({"tiny": {"size": 333}})
    found = Measured("tiny", None, (Timing(256, 25, 1.3, 900.0), Timing(512, 6, 1.1, 600.0)))
    monkeypatch.setattr(tune, "measured", lambda *_, **__: found)
    monkeypatch.chdir(folder)
    before = path.read_bytes()
    code, out, _ = here("tune", "tiny.keras", "--layers", "c2", "--dry-run")
    assert code == 0
    assert "512²" in next(line for line in out.splitlines() if "best" in line)
    assert "(default: this system does not report peak memory)" in out
    assert "best tile size: 512 (was 333)" in out
    assert "saved in" not in out
    assert path.read_bytes() == before


def pool(error):
    """A process pool whose work ends in an error."""

    class Pool:
        def __init__(self, *_, **__): ...
        def __enter__(self):
            return self

        def __exit__(self, *_): ...
        def submit(self, *_, **__):
            return self

        def result(self):
            raise error

    return Pool


def test_ctrl_c_ends_the_measuring_process(rules, folder, here, monkeypatch):
    ended = []

    class Child:
        def terminate(self):
            ended.append(self)

    monkeypatch.setattr(tune, "ProcessPoolExecutor", pool(KeyboardInterrupt()))
    monkeypatch.setattr(tune, "active_children", lambda: [Child(), Child()])
    monkeypatch.chdir(folder)
    code, out, err = here("tune", "tiny.keras", "--layers", "c2")
    assert (code, out, err.strip()) == (130, "", "kerasdream: interrupted")
    assert len(ended) == 2
    assert json.loads(tile_size.rules_file().read_text()) == {}


def test_measuring_process_ignores_ctrl_c(monkeypatch):
    monkeypatch.setattr("kerasdream.engine.loading.deterministic", lambda seed: None)
    before = signal.getsignal(signal.SIGINT)
    try:
        tune._begin()
        assert signal.getsignal(signal.SIGINT) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_killed_measuring_process_is_an_error(monkeypatch):
    monkeypatch.setattr(tune, "ProcessPoolExecutor", pool(tune.BrokenProcessPool()))
    with pytest.raises(DreamError, match=r"killed because memory ran out; .* --memory 300MB"):
        tune.measured("tiny", [], [], budget=1)


def test_damaged_rules_are_an_error_and_are_kept(rules, here):
    path = rules("{")
    code, out, err = here("tune", "efficientnet_lite0")
    assert (code, out) == (1, "")
    assert err.startswith(f"kerasdream: {path}")
    assert path.read_text() == "{"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        ("tune --memory 2GiB", 2, "expected a memory size such as 500MB or 2GB, not 2GiB"),
        ("tune vgg61", 1, "unknown model 'vgg61'; did you mean 'vgg19' or 'vgg16'"),
        ("tune vgg16 --layers block3_convl", 1, "vgg16 has no layer 'block3_convl'; did you mean"),
        ("tune nothing.keras", 1, "which layers of nothing.keras will you dream with?"),
    ],
)
def test_errors_are_found_before_measuring(rules, here, arguments, code, words):
    left, out, err = here(*arguments.split())
    assert (left, out) == (code, "")
    assert words in err.splitlines()[-1]
    assert not tile_size.rules_file().exists()
