"""Progress on the terminal: a live line where there is one, plain lines where there is none."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kerasdream.events import Event, Finished, Started, Stepped

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Display:
    """Is told events and shows them: octave, step, score, time left.

    Args:
        quiet: show nothing.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet, self.live = quiet, sys.stderr.isatty() and not quiet
        self.progress: Progress | None = None
        self.task: TaskID
        self.began, self.frame = 0.0, ""
        self.fresh = True
        self.noted: set[str] = set()
        self.paths: list[Path] = []

    def __enter__(self) -> Display:
        if self.live:
            from rich.console import Console
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

            columns = SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
            self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
            self.progress.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self.progress:
            self.progress.stop()
            self.progress = None

    def plugins(self, files: Iterable[Path]) -> None:
        """Plugin files that were loaded: they are code that runs."""
        for file in () if self.quiet else files:
            self._print(f"plugin file: {file}")

    def loading(self, model: str) -> None:
        """The network is about to be loaded, which takes some seconds."""
        if self.progress:
            self.task = self.progress.add_task(f"loading {model}", total=None)

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        if self.quiet:
            return
        if isinstance(event, Started):
            self.began = time.perf_counter()
            self._started(event)
        elif isinstance(event, Stepped):
            self._stepped(event)
        elif isinstance(event, Finished):
            self._finished(event)

    def _started(self, event: Started) -> None:
        octaves = event.plan.octaves
        taken = [octave.steps for octave in octaves[: event.octave]] + [event.step]
        self.frame = f"frame {event.frame + 1}/{event.frames}  " if event.frames > 1 else ""
        if self.progress:
            done = sum(n * octave.shape[0] * octave.shape[1] for n, octave in zip(taken, octaves, strict=False))
            total, done = event.plan.pixels * event.frames, event.plan.pixels * event.frame + done
            self.progress.update(self.task, description=event.name, total=total, completed=done)
        elif self.fresh:
            self._print(event.name)
        if self.fresh and (any(taken) or event.frame):
            frames = f"{event.frame} of {event.frames} frames and " if event.frames > 1 else ""
            self._print(f"{event.name}: goes on after {frames}{sum(taken)} of {event.plan.steps} steps")
        self.fresh = False

    def _stepped(self, event: Stepped) -> None:
        p = event.progress
        height, width = event.shape
        octave = f"octave {p.octave + 1}/{p.octaves} ({width}×{height})"
        text = f"{self.frame}{octave}  step {p.step + 1}/{p.steps}  score {event.score:.4g}"
        if self.progress:
            steps = p.steps - p.step if event.last else 1
            self.progress.update(self.task, description=text, advance=steps * height * width)
        elif event.last and (not self.frame or p.octave == p.octaves - 1):
            self._print(f"{text}  {time.perf_counter() - self.began:.0f} s")

    def _finished(self, event: Finished) -> None:
        result = event.result
        if self.progress and event.last:
            self.progress.stop()  # while it is live it sends standard output to where it is itself
        for note in result.notes:
            if note not in self.noted:
                self._print(f"note: {note}")
        self.noted.update(result.notes)
        self.paths += result.paths
        if not event.last:
            return
        if result.timings:
            state = "interrupted, kept as far as it got" if result.interrupted else "dreamed"
            seconds = result.timings["dream" if event.frames == 1 else "total"]
            self._print(f"{result.name}: {state} in {seconds:.1f} s")
        else:
            self._print(f"{result.name}: already done")
        for path in self.paths:
            sys.stdout.write(f"{path}\n")
            sys.stdout.flush()
        self.fresh, self.noted, self.paths = True, set(), []

    def _print(self, text: str) -> None:
        if self.progress:
            self.progress.console.print(text, highlight=False)
        else:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()
