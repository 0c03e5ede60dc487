"""What the displays print for the events of a run, without a terminal."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from kerasdream.cli.display import Display, TileDisplay
from kerasdream.events import Finished, Result, Started, Stepped
from kerasdream.schedules import Progress

OCTAVES = SimpleNamespace(shape=(32, 43), steps=2), SimpleNamespace(shape=(48, 64), steps=3)
PLAN = SimpleNamespace(octaves=OCTAVES, steps=5, pixels=sum(o.steps * o.shape[0] * o.shape[1] for o in OCTAVES))


def stepped(octave, step, *, last):
    progress = Progress(octave, 2, step, OCTAVES[octave].steps, 2 * octave + step, 5)
    return Stepped(progress, OCTAVES[octave].shape, 0.5, {}, np.zeros, last)


def finished(*, interrupted=False, seconds=2.0, frames=1, frame=0, notes=()):
    timings = {"dream": seconds, "total": seconds} if seconds else {}
    paths = (f"fox-{frame}.png",)
    result = Result(np.zeros((48, 64, 3)), (), timings, {}, None, "fox.jpg", paths, interrupted, None, notes)
    return Finished(result, frame, frames)


@pytest.fixture
def shown(capsys):
    """Send events to a display; return the lines on standard output and standard error."""

    def show(display, *events):
        with display:
            for event in events:
                display(event)
        out, err = capsys.readouterr()
        return out.splitlines(), err.splitlines()

    return show


def test_run_prints_a_line_per_octave_and_the_paths(shown):
    events = Started("fox.jpg", PLAN), stepped(0, 0, last=False), stepped(0, 1, last=True), stepped(1, 2, last=True)
    out, err = shown(Display(), *events, finished(notes=("a note",)))
    assert out == ["fox-0.png"]
    name, first, second, note, done = err
    assert name == "fox.jpg"
    assert first.startswith("octave 1/2 (43×32)  step 2/2  score 0.5")
    assert second.startswith("octave 2/2 (64×48)  step 3/3  score 0.5")
    assert (note, done) == ("note: a note", "fox.jpg: dreamed in 2.0 s")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        (Started("fox.jpg", PLAN, octave=1, step=1), "fox.jpg: resuming after step 3 of 5"),
        (Started("fox.jpg", PLAN, 0, 1, 2, 4), "fox.jpg: resuming frame 3 of 4, after step 1 of 5"),
        (finished(interrupted=True), "fox.jpg: interrupted after 2.0 s; partial result saved"),
        (finished(seconds=0), "fox.jpg: already done"),
    ],
)
def test_resumed_interrupted_and_finished_runs(shown, event, line):
    assert line in shown(Display(), event)[1]


def test_note_of_every_frame_is_printed_once_and_paths_at_the_end(shown):
    first, last = finished(frames=2, notes=("same",)), finished(frames=2, frame=1, notes=("same",))
    out, err = shown(Display(), first, last)
    assert err.count("note: same") == 1
    assert out == ["fox-0.png", "fox-1.png"]


def test_quiet_prints_nothing(shown):
    assert shown(Display(quiet=True), Started("fox.jpg", PLAN), finished()) == ([], [])
    assert shown(TileDisplay(1, quiet=True), finished()) == ([], [])


def test_tiles_are_counted(shown):
    display = TileDisplay(3)
    display.tile("c1")
    _, first = shown(display, finished(notes=("dark",)))
    display.tile("c2")
    _, second = shown(display, finished(seconds=0))
    display.tile("c3")
    with display:
        display.silent()
    assert first == ["note: c1: dark", "1/3 c1: 2.0 s"]
    assert second == ["2/3 c2: already done"]
    assert shown(display)[1] == ["3/3 c3: nothing responds"]
