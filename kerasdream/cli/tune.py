"""The command ``tune``: measures how large views should be on this machine, and keeps it as the user's own rule."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream.cli.options import PLUGINS
from kerasdream.errors import DreamError

if TYPE_CHECKING:
    from kerasdream.cli.measure import Measured, Timing

CLOSE = 1.02
"""Views that take at most this many times what the fastest take are as good: of those, the smallest are chosen."""


def _memory(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    from kerasdream.config.sections import memory_bytes

    try:
        return None if text is None else memory_bytes(text)
    except ValueError as error:
        raise click.BadParameter(f"expected {error}, not {text}") from None


@click.command()
@click.argument("model", default="efficientnet_lite0")
@click.option("--layers", metavar="NAME,NAME", help="The layers you dream; by default those a run file gets.")
@click.option(
    "--memory",
    metavar="AMOUNT",
    callback=_memory,
    help="For the views under way, as in 500MB or 2GB; by default an eighth of the machine's, at most 640MB.",
)
@PLUGINS
@click.option("--dry-run", is_flag=True, help="Only show what was found; keep nothing.")
def tune(model: str, layers: str | None, memory: int | None, plugin_files: tuple[Path, ...], dry_run: bool) -> None:
    """Measures the best size of tiles for a MODEL on this machine, and keeps it.

    MODEL is a name or a .keras file. It takes a minute or more, in which nothing else should keep the machine busy.
    From then on "tiles: {size: auto}" is what was found, in every run of the model that sets no "memory".
    """
    from rich.console import Console

    from kerasdream.cli.measure import dream_of
    from kerasdream.plan import tile_size as tuning

    rules = tuning.read_rules()
    names = [name.strip() for name in layers.split(",") if name.strip()] if layers else []
    asked = [next(iter(entry.make().layers)) for entry in dream_of(model, names, plugin_files).objectives]
    if not dry_run:
        tuning.save_rules(rules)  # a file that cannot be written is found before the minute
    budget = tuning.usual_memory() if memory is None else memory
    with Console(stderr=True).status(f"measuring {model}, {', '.join(asked)}"):
        found = measured(model, asked, plugin_files, budget=budget)
    best = fastest(found.timings)
    _show(found, best, asked)
    if dry_run:
        return
    tuning.save_rules({**tuning.read_rules(), found.model: tuning.Rule(size=best.size, bytes=found.bytes)})
    click.echo(f"kept in {tuning.rules_file()}")


def measured(model: str, layers: Sequence[str], plugin_files: Sequence[Path], **options: Any) -> Measured:
    """Measures in a fresh process, in which nothing has been allocated that would hide what a step takes.

    Args:
        options: of ``kerasdream.cli.measure.measure``.

    Raises:
        DreamError: the process was killed, as Linux does when memory runs out.
    """
    from kerasdream.cli.measure import measure

    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin) as pool:
        try:
            return pool.submit(measure, model, layers, plugin_files, **options).result()
        except BrokenProcessPool:
            raise DreamError(
                "the process that measured was killed: memory ran out; close other programs, or give less: --memory "
                "300MB"
            ) from None
        except KeyboardInterrupt:
            for process in active_children():
                process.terminate()
            raise


def _begin() -> None:
    """Begins the process that measures, as a run does; Ctrl-C, which reaches it too, is left to the one that waits."""
    from kerasdream.engine.loading import deterministic

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    deterministic(0)


def fastest(timings: Iterable[Timing]) -> Timing:
    """Returns the smallest views that are about as fast as the fastest."""
    timings = list(timings)
    best = min(timing.nanoseconds for timing in timings)
    return min(timing for timing in timings if timing.nanoseconds <= CLOSE * best)


def _show(found: Measured, best: Timing, layers: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from kerasdream.plan.tile_size import IN_FLIGHT, shipped_bytes, tile_side

    per_pixel = found.bytes or shipped_bytes(found.model)
    table = Table(title=f"{found.model}, {', '.join(layers)}")
    for heading in ("views up to", "a step", "computed", "memory", "ns a pixel", ""):
        table.add_column(heading, justify="right")
    for timing in found.timings:
        table.add_row(
            f"{timing.size}²",
            str(timing.views),
            f"{timing.computed:.2f}",
            f"{IN_FLIGHT * per_pixel * timing.size**2 / 2**20:.0f} MB",
            f"{timing.nanoseconds:.0f}",
            "best" if timing is best else "",
        )
    Console().print(table)
    source = "measured" if found.bytes else "as shipped: this system does not tell the peak of memory"
    click.echo(f"{per_pixel} bytes for each pixel of a view ({source}), {IN_FLIGHT} views under way at once")
    click.echo(f"tiles of {best.size} (so far: {tile_side(found.model)})")
