"""Draw the tiles of an atlas, each into its own file; finished tiles are left alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from kerasdream.engine.loading import deterministic
from kerasdream.errors import ConfigError, ImageError, ModelError, NoResponseError, PluginError
from kerasdream.events import Event
from kerasdream.session.session import Session

if TYPE_CHECKING:
    from kerasdream.components import Network
    from kerasdream.config.run_config import RunConfig


class TileProgress(Protocol):
    """What `draw` reports to, tile by tile."""

    def tile(self, name: str) -> None:
        """Start the next tile."""

    def silent(self) -> None:
        """Report a tile that cannot be drawn because nothing responds."""

    def failed(self, reason: str) -> None:
        """Report a tile that cannot be drawn, and why."""

    def __call__(self, event: Event) -> None:
        """Receive an event of the tile's run."""


def draw(
    tiles: Iterable[tuple[str, RunConfig]],
    progress: TileProgress,
    *,
    folder: Path,
    overwrite: bool = False,
    network: Network | None = None,
) -> dict[str, str]:
    """Draw one tile after the other with the same network, resuming an unfinished one.

    A tile to which nothing in the picture responds is not written, nor is one that cannot be drawn; those are returned
    by name, with the reason.

    Args:
        tiles: the name of each tile and its run.
        folder: where the tiles are written.
        overwrite: whether tiles drawn by another recipe are replaced.
        network: the network, if it is already built; otherwise it is built for the first unfinished tile.

    Raises:
        KeyboardInterrupt: Ctrl-C; the current tile is saved with its state, to be resumed.
        ModelError: the network cannot be loaded.
        OutputError: the file of a tile was drawn by another recipe.
    """
    failed: dict[str, str] = {}
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
        except (ModelError, ConfigError, PluginError, ImageError) as error:
            failed[name] = str(error)
            progress.failed(failed[name])
            continue
        if interrupted:
            raise KeyboardInterrupt
    return failed
