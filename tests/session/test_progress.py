"""The progress bar from Python."""

import io
import re
import sys
import types

import pytest

import kerasdream
from kerasdream.events import Finished, Result, Started, Stepped
from kerasdream.plan.plan import Plan
from kerasdream.plan.tiling import Cutting, Lattice
from kerasdream.schedules import Progress
from kerasdream.session import progress
from kerasdream.session.progress import Course, progress_bar

PLAN = Plan(((32, 48), (64, 96)), (2, 3), Cutting(Lattice(), 512), 0)
PIXELS = 2 * 32 * 48 + 3 * 64 * 96


def stepped(octave, step, last=False):
    shape, steps = PLAN.sizes[octave], PLAN.octave_steps[octave]
    return Stepped(Progress(octave, 2, step, steps, 0, 5), shape, 1.5, {}, lambda: None, last)


def finished(*notes, frame=0, frames=1):
    return Finished(Result(None, (), {}, {}, notes=notes), frame, frames)


EVENTS = [
    Started("cat.png", PLAN),
    *(stepped(octave, step, last) for octave, step, last in [(0, 0, False), (0, 1, True), (1, 0, False), (1, 1, True)]),
]


def test_course_counts_pixels_and_is_complete_at_the_end():
    course, done = Course(), []
    for event in EVENTS:
        course(event)
        done.append(course.done)
    assert done == [0, 1536, 3072, 9216, PIXELS]  # the last octave ends early
    assert course.total == PIXELS
    assert course.text == "octave 2/2 (96×64)  step 2/3  score 1.5"


def test_course_of_a_resumed_frame():
    course = Course()
    course(Started("cat.png", PLAN, octave=1, step=1, frame=2, frames=4))
    assert (course.done, course.total) == (2 * PIXELS + 3072 + 6144, 4 * PIXELS)
    course(stepped(1, 1))
    assert course.text.startswith("frame 3/4  octave 2/2")


@pytest.fixture
def notebook(monkeypatch):
    """A notebook without ``ipywidgets``; what it shows in the order in which it is shown."""
    shown = []

    def display(html, display_id):
        assert display_id is True
        shown.append(html.data)
        return types.SimpleNamespace(update=lambda html: shown.append(html.data))

    module = types.ModuleType("IPython.display")
    module.HTML, module.display = lambda data: types.SimpleNamespace(data=data), display
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr(progress, "SECONDS", 0)
    return shown


def test_bar_in_a_notebook(notebook):
    with progress_bar(None, "loading <my> network") as show:
        for event in [*EVENTS, finished("its colours <b>")]:
            show(event)
    assert "loading &lt;my&gt; network" in notebook[1]
    values = [re.search(r'value="(\d+)" max="(\d+)"', html) for html in notebook[2:-1]]
    assert [tuple(map(int, found.groups())) for found in values] == [
        (done, PIXELS) for done in (0, 1536, 3072, 9216, PIXELS)
    ]
    assert notebook[-1] == "note: its colours &lt;b&gt;"


def test_bar_in_a_notebook_goes_when_a_dream_fails(notebook):
    with pytest.raises(ZeroDivisionError), progress_bar(True, "loading"):
        raise ZeroDivisionError
    assert notebook[-1] == ""


def test_bar_on_a_terminal(monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(screen, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with progress_bar(None, "loading [my] network") as show:
        for event in [*EVENTS, finished('pip install "kerasdream[heif]"')]:
            show(event)
    assert "octave 2/2 (96×64)" in screen.getvalue()
    assert screen.getvalue().endswith('note: pip install "kerasdream[heif]"\n')


@pytest.mark.parametrize(("asked", "lines"), [(None, []), (False, []), (True, ["loading", "octave 2/2", "note: dark"])])
def test_elsewhere_lines_are_printed_if_asked_for(capsys, asked, lines):
    with progress_bar(asked, "loading") as show:
        for event in [*EVENTS, finished("dark", "dark")]:
            show(event)
    out, err = capsys.readouterr()
    assert out == ""
    assert [line[: len(start)] for line, start in zip(err.splitlines(), lines, strict=True)] == lines


def test_dream_and_run_show_progress(tiny, chelsea, tmp_path, capsys):
    options = {"objectives": {"l2": "c3"}, "octaves": {"count": 1, "steps": 1}}
    seen = []
    kerasdream.dream(chelsea[:64, :64], model=tiny, input_range=(-1, 1), progress=True, on_event=seen.append, **options)
    assert "octave 1/1 (64×64)  step 1/1" in capsys.readouterr().err
    assert [type(event) for event in seen] == [Started, Stepped, Finished]
    tiny.save(tmp_path / "tiny.keras")
    kerasdream.images.save(tmp_path / "cat.png", chelsea[:64, :64], format="png")
    model = {"file": str(tmp_path / "tiny.keras"), "input_range": [-1, 1]}
    run = {"image": str(tmp_path / "cat.png"), "model": model, **options}
    kerasdream.run(run, folder=tmp_path, progress=True)
    err = capsys.readouterr().err
    assert err.startswith("loading tiny\n")
    assert "octave 1/1" in err
