"""The command ``tune``: find the best tile size on this machine and save it as the user's own rule."""

from __future__ import annotations

import signal
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kerasdream.cli.options import PLUGINS
from kerasdream.errors import DreamError

if TYPE_CHECKING:
    from kerasdream.cli.measure import Measured, Timing

CLOSE = 1.02
"""Tiles within this factor of the fastest count as equally fast; the smallest of them is chosen."""


def _memory(context: click.Context, option: click.Parameter, text: str | None) -> int | None:
    from kerasdream.config.sections import memory_bytes

    try:
        return None if text is None else memory_bytes(text)
    except ValueError as error:
        raise click.BadParameter(f"expected {error}, not {text}") from None


@click.command()
@click.argument("model", default="efficientnet_lite0")
@click.option("--layers", metavar="NAME,NAME", help="Layers to dream; by default the network's default layers.")
@click.option(
    "--memory",
    metavar="AMOUNT",
    callback=_memory,
    help="Memory for tiles, such as 500MB or 2GB; by default an eighth of the machine's, at most 640MB.",
)
@PLUGINS
@click.option("--dry-run", is_flag=True, help="Show the result without saving it.")
def tune(model: str, layers: str | None, memory: int | None, plugin_files: tuple[Path, ...], dry_run: bool) -> None:
    """Find and save the best tile size on this machine.

    MODEL is a name or a .keras file; the default is the default network. Measuring takes a minute or more; leave the
    machine idle meanwhile. Afterwards, runs of the model with "tiles: {size: auto}" and no "memory" use that size.
    """
    from rich.console import Console

    from kerasdream.cli.measure import dream_of
    from kerasdream.plan import tile_size as tuning

    rules = tuning.read_rules()
    names = [name.strip() for name in layers.split(",") if name.strip()] if layers else []
    chosen = [next(iter(entry.make().layers)) for entry in dream_of(model, names, plugin_files).objectives]
    if not dry_run:
        tuning.save_rules(rules)  # fail before measuring if the file cannot be written
    budget = tuning.usual_memory() if memory is None else memory
    with Console(stderr=True).status(f"measuring {model}, {', '.join(chosen)}"):
        found = measured(model, chosen, plugin_files, budget=budget)
    best = fastest(found.timings)
    _show(found, best, chosen)
    if dry_run:
        return
    tuning.save_rules({**tuning.read_rules(), found.model: tuning.Rule(size=best.size, bytes=found.bytes)})
    click.echo(f"saved in {tuning.rules_file()}")


def measured(
    model: str,
    layers: Sequence[str],
    plugin_files: Sequence[Path],
    *,
    budget: int,
    side: int = 1024,
    rounds: int = 5,
) -> Measured:
    """Measure in a fresh process, where earlier allocations cannot hide the memory of a step.

    Args:
        model, layers, plugin_files, budget, side, rounds: see ``kerasdream.cli.measure.measure``.

    Raises:
        DreamError: the process was killed, as Linux does when memory runs out.
    """
    from kerasdream.cli.measure import measure

    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=_begin) as pool:
        try:
            return pool.submit(measure, model, layers, plugin_files, budget=budget, side=side, rounds=rounds).result()
        except BrokenProcessPool:
            raise DreamError(
                "the measuring process was killed because memory ran out; close other programs, or set a lower limit: "
                "--memory 300MB"
            ) from None
        except KeyboardInterrupt:
            for process in active_children():
                process.terminate()
            raise


def _begin() -> None:
    """Start the measuring process like a run; it ignores Ctrl-C, which its parent handles."""
    from kerasdream.engine.loading import deterministic

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    deterministic(0)


def fastest(timings: Iterable[Timing]) -> Timing:
    """Return the smallest tiles that are about as fast as the fastest."""
    timings = list(timings)
    best = min(timing.nanoseconds for timing in timings)
    return min(timing for timing in timings if timing.nanoseconds <= CLOSE * best)


def _show(found: Measured, best: Timing, layers: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    from kerasdream.plan.tile_size import IN_FLIGHT, shipped_bytes, tile_side

    per_pixel = found.bytes or shipped_bytes(found.model)
    table = Table(title=f"{found.model}, {', '.join(layers)}")
    for heading in ("tile size", "tiles", "computed", "memory", "ns/pixel", ""):
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
    source = "measured" if found.bytes else "default: this system does not report peak memory"
    click.echo(f"{per_pixel} bytes per tile pixel ({source}), {IN_FLIGHT} tiles in progress at a time")
    click.echo(f"best tile size: {best.size} (was {tile_side(found.model)})")
