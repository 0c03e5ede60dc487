"""Draw the tiles of an atlas, each into its own file; finished tiles are left alone."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from kerasdream.engine.loading import deterministic
from kerasdream.errors import ConfigError, NoResponseError
from kerasdream.events import Event, Finished, Stepped
from kerasdream.session.session import Session

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

    from kerasdream.components import Network
    from kerasdream.config.run_config import RunConfig


def draw(
    tiles: Iterable[tuple[str, RunConfig]],
    progress: TileProgress,
    *,
    folder: Path,
    overwrite: bool = False,
    network: Network | None = None,
) -> None:
    """Draw one tile after the other with the same network, resuming an unfinished one.

    A tile to which nothing in the picture responds is not written.

    Args:
        tiles: the name of each tile and its run.
        folder: where the tiles are written.
        overwrite: whether tiles drawn by another recipe are replaced.
        network: the network, if it is already built; otherwise it is built for the first unfinished tile.

    Raises:
        KeyboardInterrupt: Ctrl-C; the current tile is saved with its state, to be resumed.
        KerasdreamError: a tile cannot be drawn, or its file was drawn by another recipe.
    """
    for name, config in tiles:
        progress.tile(name)
        session = Session(config, folder=folder, overwrite=overwrite, resume=True, on_event=progress, network=network)
        sources = session.sources()
        if len(sources) > 1:
            raise ConfigError(f"an atlas has one photo; {config.image.source} has {len(sources)}")
        targets, picture = session.targets(sources[0]), session.picture(sources[0])
        if session.finished(picture, targets) is not None:
            continue
        if network is None:
            deterministic(config.seed)
            network = session.network
        try:
            interrupted = session.dream(picture, targets).interrupted
        except NoResponseError:
            progress.silent()
            continue
        if interrupted:
            raise KeyboardInterrupt


class TileProgress:
    """Progress over the tiles: a live line on a terminal, otherwise a line for each tile.

    Args:
        count: number of tiles.
        quiet: show nothing.
    """

    def __init__(self, count: int, *, quiet: bool = False) -> None:
        self.count, self.quiet, self.done, self.name = count, quiet, 0, ""
        self.live: Progress | None = None
        self.task: TaskID

    def __enter__(self) -> TileProgress:
        if sys.stderr.isatty() and not self.quiet:
            from rich.console import Console
            from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

            columns = MofNCompleteColumn(), TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
            self.live = Progress(*columns, console=Console(stderr=True), transient=True)
            self.task = self.live.add_task("loading", total=self.count)
            self.live.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        if self.live:
            self.live.stop()
            self.live = None

    def tile(self, name: str) -> None:
        """Start the next tile."""
        self.name = name

    def silent(self) -> None:
        """Report a tile that cannot be drawn because nothing responds."""
        self._ended("nothing responds")

    def __call__(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, Stepped) and self.live:
            p = event.progress
            share = (p.run_step + 1) / p.run_steps
            self.live.update(self.task, description=self.name, completed=self.done + share)
        elif isinstance(event, Finished):
            result = event.result
            state = f"{result.timings['total']:.1f} s" if result.timings else "already done"
            self._ended("interrupted; partial result saved" if result.interrupted else state, result.notes)

    def _ended(self, state: str, notes: Iterable[str] = ()) -> None:
        self.done += 1
        lines = [*(f"note: {self.name}: {note}" for note in notes), f"{self.done}/{self.count} {self.name}: {state}"]
        for line in () if self.quiet else lines:
            if self.live:
                self.live.console.print(line, highlight=False)
            else:
                print(line, file=sys.stderr, flush=True)
