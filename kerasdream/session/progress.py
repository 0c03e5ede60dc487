"""Progress of a run: a bar in a notebook or a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

from kerasdream.events import Event, Finished, Started, Stepped

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

SECONDS = 0.2
"""Between two updates of the bar in a notebook."""


class Course:
    """How far a run is; called with every event.

    Attributes:
        text: what is being done.
        done, total: pixels of all steps taken, and of the whole run.
    """

    def __init__(self) -> None:
        self.text, self.frame = "", ""
        self.done, self.total = 0, 0

    def __call__(self, event: Event) -> None:
        """Follow an event."""
        if isinstance(event, Started):
            octaves = event.plan.octaves
            steps = [octave.steps for octave in octaves[: event.octave]] + [event.step]
            before = sum(n * octave.shape[0] * octave.shape[1] for n, octave in zip(steps, octaves, strict=False))
            self.text, self.total = event.name, event.plan.pixels * event.frames
            self.done = event.plan.pixels * event.frame + before
            self.frame = f"frame {event.frame + 1}/{event.frames}  " if event.frames > 1 else ""
        elif isinstance(event, Stepped):
            p, (height, width) = event.progress, event.shape
            octave = f"octave {p.octave + 1}/{p.octaves} ({width}×{height})"
            self.text = f"{self.frame}{octave}  step {p.step + 1}/{p.steps}  score {event.score:.4g}"
            self.done += (p.steps - p.step if event.last else 1) * height * width


class Bar(Protocol):
    """Where progress is shown."""

    def show(self, course: Course) -> None:
        """Show how far it is."""

    def close(self, notes: Iterable[str]) -> None:
        """Remove the bar, and leave notes in its place."""


@contextmanager
def progress_bar(progress: bool | None, doing: str) -> Iterator[Callable[[Event], None]]:
    """Show a bar while the block runs; yield the function that it is fed events with.

    Args:
        progress: True: in a notebook, on a terminal, or as plain lines; None: only in a notebook or on a terminal;
            False: never.
        doing: what is done before the first event.
    """
    bar = _bar(progress)
    if bar is None:
        yield lambda event: None
        return
    course, notes = Course(), dict[str, None]()
    course.text = doing

    def receive(event: Event) -> None:
        course(event)
        if isinstance(event, Finished):
            notes.update(dict.fromkeys(event.result.notes))
        else:
            bar.show(course)

    try:
        bar.show(course)
        yield receive
    finally:
        bar.close(notes)


def _bar(progress: bool | None) -> Bar | None:
    if progress is False:
        return None
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_jupyter:
        return NotebookBar()
    if console.is_terminal and not console.is_dumb_terminal:
        return TerminalBar(console)
    return Lines() if progress else None


def terminal_progress(console: Console) -> Progress:
    """Return Rich's progress bar, with a spinner, a description and the time left; it removes itself at the end."""
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    text = TextColumn("{task.description}", markup=False)  # file names may have brackets in them
    return Progress(SpinnerColumn(), text, BarColumn(), TimeRemainingColumn(), console=console, transient=True)


class NotebookBar:
    """A bar in the output of a notebook's cell. Rich's own needs ``ipywidgets``; this needs IPython alone."""

    def __init__(self) -> None:
        from IPython.display import HTML, display

        self.html = HTML
        self.handle: Any = display(HTML(""), display_id=True)
        self.shown = 0.0

    def show(self, course: Course) -> None:
        """Show how far it is, unless that was just done."""
        now = time.monotonic()
        if now - self.shown < SECONDS and course.done < course.total:
            return
        self.shown = now
        value = f'value="{course.done}" max="{course.total}"' if course.total else ""
        self.handle.update(self.html(f'<progress {value} style="width: 200px"></progress> {escape(course.text)}'))

    def close(self, notes: Iterable[str]) -> None:
        """Remove the bar, and leave notes in its place."""
        self.handle.update(self.html("<br>".join(f"note: {escape(note)}" for note in notes)))


class TerminalBar:
    """A bar on a terminal, removed at the end."""

    def __init__(self, console: Console) -> None:
        self.progress = terminal_progress(console)
        self.task = self.progress.add_task("", total=None)
        self.progress.start()

    def show(self, course: Course) -> None:
        """Show how far it is."""
        total = course.total or None
        self.progress.update(self.task, description=course.text, total=total, completed=course.done)

    def close(self, notes: Iterable[str]) -> None:
        """Remove the bar, and leave notes in its place."""
        self.progress.stop()
        for note in notes:
            self.progress.console.print(f"note: {note}", highlight=False, markup=False)


class Lines:
    """Plain lines on standard error: at most one every ten seconds."""

    def __init__(self) -> None:
        self.shown = -10.0

    def show(self, course: Course) -> None:
        """Print how far it is, if the last line is ten seconds old."""
        now = time.monotonic()
        if now - self.shown >= 10 or course.done == course.total:
            self.shown = now
            print(course.text, file=sys.stderr, flush=True)

    def close(self, notes: Iterable[str]) -> None:
        """Print the notes."""
        for note in notes:
            print(f"note: {note}", file=sys.stderr, flush=True)
