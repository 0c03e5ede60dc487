"""Draws the tiles of an atlas, each into a file of its own; those that are there already are left as they are."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Any

from kerasdream.engine.loading import deterministic
from kerasdream.errors import ConfigError, NoResponseError
from kerasdream.events import Event, Finished, Stepped

if TYPE_CHECKING:
    from kerasdream.components import Network
    from kerasdream.session.session import Session


def draw(sessions: Iterable[tuple[str, Session]], progress: Progress, network: Network | None = None) -> None:
    """Draws one tile after the other with one network; there is none of what nothing in the picture excites.

    Args:
        sessions: the name of each tile, and the session of its run, which goes on with what is there of it.
        network: the network, if it is built; else it is built for the first tile that is not there.

    Raises:
        KeyboardInterrupt: Ctrl-C; the tile that was under way is kept as far as it got, its state beside it.
        KerasdreamError: a tile cannot be drawn, or is there, drawn otherwise.
    """
    for name, session in sessions:
        progress.tile(name)
        session.on_event = progress
        sources = session.sources()
        if len(sources) > 1:
            raise ConfigError(f"an atlas has one photo; {session.config.image.source} has {len(sources)}")
        targets, picture = session.targets(sources[0]), session.picture(sources[0])
        if session.finished(picture, targets) is not None:
            continue
        if network is None:
            deterministic(session.config.seed)
            network = session.network
        session.network = network
        try:
            interrupted = session.dream(picture, targets).interrupted
        except NoResponseError:
            progress.silent()
            continue
        if interrupted:
            raise KeyboardInterrupt


class Progress:
    """Is told events and shows them: a live line where there is a terminal, a line for each tile where there is none.

    Args:
        count: how many tiles there are.
        quiet: show nothing.
    """

    def __init__(self, count: int, *, quiet: bool = False) -> None:
        self.count, self.quiet, self.done, self.name = count, quiet, 0, ""
        self.live: Any = None

    def __enter__(self) -> Progress:
        if sys.stderr.isatty() and not self.quiet:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Live

            columns = MofNCompleteColumn(), TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
            self.live = Live(*columns, console=Console(stderr=True), transient=True)
            self.task = self.live.add_task("loading", total=self.count)
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self.live:
            self.live.stop()
            self.live = None

    def tile(self, name: str) -> None:
        """The next tile begins."""
        self.name = name

    def silent(self) -> None:
        """The tile cannot be drawn: nothing responds."""
        self._ended("nothing responds")

    def __call__(self, event: Event) -> None:
        """Shows an event."""
        if isinstance(event, Stepped) and self.live:
            p = event.progress
            share = (p.run_step + 1) / p.run_steps
            self.live.update(self.task, description=self.name, completed=self.done + share)
        elif isinstance(event, Finished):
            result = event.result
            state = f"{result.timings['total']:.1f} s" if result.timings else "there already"
            self._ended("interrupted, kept as far as it got" if result.interrupted else state, result.notes)

    def _ended(self, state: str, notes: Iterable[str] = ()) -> None:
        self.done += 1
        lines = [*(f"note: {self.name}: {note}" for note in notes), f"{self.done}/{self.count} {self.name}: {state}"]
        for line in () if self.quiet else lines:
            if self.live:
                self.live.console.print(line, highlight=False)
            else:
                print(line, file=sys.stderr, flush=True)
