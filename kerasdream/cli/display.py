"""Progress: a live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kerasdream.errors import printable
from kerasdream.events import Event, Finished, Started, Stepped
from kerasdream.session.progress import Course, terminal_progress

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID
    from typing_extensions import Self


class Terminal:
    """Standard error: a live progress line if it is a terminal, otherwise nothing but printed lines.

    Args:
        quiet: print nothing.
    """

    progress: Progress | None = None
    task: TaskID

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet

    def __enter__(self) -> Self:
        if sys.stderr.isatty() and not self.quiet:
            from rich.console import Console

            self.progress = terminal_progress(Console(stderr=True))
            self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self.progress:
            self.progress.stop()
            self.progress = None

    def print(self, text: str) -> None:
        """Print a line, unless quiet."""
        if self.quiet:
            return
        if self.progress:
            self.progress.console.print(printable(text), highlight=False, markup=False)
        else:
            print(printable(text), file=sys.stderr, flush=True)


class Display(Terminal):
    """Terminal progress of a run: shows octave, step, score and time left for each event."""

    def __init__(self, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self.started, self.course = 0.0, Course()
        self.first = True
        self.noted: set[str] = set()
        self.announced: set[str] = set()
        self.paths: list[Path] = []

    def plugins(self, files: Iterable[Path]) -> None:
        """Name the plugin files that were loaded, because they are code that runs."""
        for file in files:
            self.print(f"plugin file: {file}")

    def announce(self, notes: Iterable[str], instead_of: Iterable[str]) -> None:
        """Print notes on the whole run; its pictures then repeat neither them nor the notes that they stand for."""
        for note in notes:
            self.print(f"note: {note}")
            self.announced.add(note)
        self.announced.update(instead_of)

    def loading(self, model: str) -> None:
        """Announce that the network is being loaded, which takes a few seconds."""
        if self.progress:
            self.task = self.progress.add_task(f"loading {model}", total=None)

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if self.quiet:
            return
        self.course(event)
        if self.progress and not isinstance(event, Finished):
            course = self.course
            self.progress.update(self.task, description=course.text, total=course.total, completed=course.done)
        if isinstance(event, Started):
            self._started(event)
        elif isinstance(event, Stepped):
            self._stepped(event)
        elif isinstance(event, Finished):
            self._finished(event)

    def _started(self, event: Started) -> None:
        self.started = time.perf_counter()
        if not self.progress and self.first:
            self.print(event.name)
        steps = sum(octave.steps for octave in event.plan.octaves[: event.octave]) + event.step
        if self.first and (steps or event.frame):
            frame = f"frame {event.frame + 1} of {event.frames}, " if event.frames > 1 else ""
            self.print(f"{event.name}: resuming {frame}after step {steps} of {event.plan.steps}")
        self.first = False

    def _stepped(self, event: Stepped) -> None:
        p = event.progress
        if not self.progress and event.last and (not self.course.frame or p.octave == p.octaves - 1):
            self.print(f"{self.course.text}  {time.perf_counter() - self.started:.0f} s")

    def _finished(self, event: Finished) -> None:
        result = event.result
        if self.progress and event.last:
            self.progress.stop()  # a live display also captures standard output, which the paths below go to
        for note in result.notes:
            if note not in self.noted | self.announced:
                self.print(f"note: {note}")
        self.noted.update(result.notes)
        self.paths += result.paths
        if not event.last:
            return
        if result.timings:
            seconds = f"{result.timings['dream' if event.frames == 1 else 'total']:.1f} s"
            state = f"dreamed in {seconds}"
            if result.interrupted:
                state = f"interrupted after {seconds}; partial result saved"
        else:
            state = "already done"
        self.print(f"{result.name}: {state}")
        for path in self.paths:
            print(printable(str(path)), flush=True)
        self.first, self.noted, self.paths = True, set(), []


class TileDisplay(Terminal):
    """Progress over the tiles of an atlas: a line per tile.

    Args:
        count: number of tiles.
        quiet: print nothing.
    """

    def __init__(self, count: int, *, quiet: bool = False) -> None:
        super().__init__(quiet=quiet)
        self.count, self.done, self.name = count, 0, ""

    def __enter__(self) -> Self:
        super().__enter__()
        if self.progress:
            self.task = self.progress.add_task("loading", total=self.count)
        return self

    def tile(self, name: str) -> None:
        """Start the next tile."""
        self.name = name

    def silent(self) -> None:
        """Report a tile that cannot be drawn because nothing responds."""
        self._ended("nothing responds")

    def failed(self, reason: str) -> None:
        """Report a tile that cannot be drawn, and why."""
        self._ended(f"not drawn: {reason}")

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Stepped) and self.progress:
            p = event.progress
            share = (p.run_step + 1) / p.run_steps
            text = f"{self.done + 1}/{self.count}  {self.name}"
            self.progress.update(self.task, description=text, completed=self.done + share)
        elif isinstance(event, Finished):
            result = event.result
            state = f"{result.timings['total']:.1f} s" if result.timings else "already done"
            self._ended("interrupted; partial result saved" if result.interrupted else state, result.notes)

    def _ended(self, state: str, notes: Iterable[str] = ()) -> None:
        self.done += 1
        for note in notes:
            self.print(f"note: {self.name}: {note}")
        self.print(f"{self.done}/{self.count} {self.name}: {state}")
