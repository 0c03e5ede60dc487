"""``python -m benchmarks``: measure everything, print the tables, save the measurements as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from datetime import datetime, timezone
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.markdown import Markdown

from benchmarks import alone, loop, machine, peak, speed, table
from benchmarks.cases import LAYERS
from benchmarks.contestants import CONTESTANTS, TITLES
from benchmarks.figures import OURS
from kerasdream.engine.loading import tensorflow

SIZES = "299,512,600x800,1024,2048"
LARGE = "4096,8192"
"""Sizes at which only kerasdream is measured: the others take too long or too much memory."""

SECTIONS = ("peak", "speed", "alone", "loop")
RESULTS = Path(__file__).parent / "results"


class Sizes(click.ParamType):
    """``512,600x800``: sides of squares, or HEIGHTxWIDTH."""

    name = "sizes"

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            sides = [[int(side) for side in size.split("x")] for size in value.split(",") if size]
            return [(size[0], size[-1]) for size in sides if len(size) <= 2 or self.fail(f"{value!r}: too many ×")]
        except ValueError:
            self.fail(f"{value!r} is not a list of sizes; expected sides in pixels, such as 512,600x800", param, ctx)


class Choices(click.ParamType):
    """Some of a few names, separated by commas."""

    name = "names"

    def __init__(self, names: Any) -> None:
        self.names = tuple(names)

    def convert(self, value: Any, param: Any, ctx: Any) -> Any:
        chosen = value.split(",") if isinstance(value, str) else value
        for name in set(chosen) - set(self.names):
            self.fail(f"unknown name {name!r}; expected some of {', '.join(self.names)}", param, ctx)
        return [name for name in self.names if name in chosen]


@click.command()
@click.option("--sizes", type=Sizes(), default=SIZES, show_default=True, help="Pictures for every contestant.")
@click.option("--large", type=Sizes(), default=LARGE, show_default=True, help="Pictures for kerasdream only, one step.")
@click.option("--networks", type=Choices(LAYERS), default=",".join(LAYERS), show_default=True)
@click.option("--only", type=Choices(SECTIONS), default=",".join(SECTIONS), show_default=True, help="What to measure.")
@click.option(
    "--published-layers", is_flag=True, help="Also Keras's example with its own, deeper layers (InceptionV3)."
)
@click.option("--quick", is_flag=True, help="Small pictures, few steps: rough numbers, to try it out.")
@click.option("--readme", is_flag=True, help="Save the result as benchmarks/latest.json and put it into the README.")
def main(sizes: Any, large: Any, networks: Any, only: Any, published_layers: bool, quick: bool, readme: bool) -> None:
    """Compare kerasdream's gradient step with TensorFlow's tutorial and Keras's example."""
    if quick:
        sizes, large = [size for size in sizes if size[0] * size[1] <= 512 * 512], []
    now = datetime.now(timezone.utc)
    results: dict[str, Any] = {"date": now.strftime("%Y-%m-%d"), "machine": machine.describe(), "quick": quick}
    results["networks"] = {name: {"layers": LAYERS[name]} for name in networks}
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    for section in only:
        for name in networks:
            names = [*CONTESTANTS, *(["keras_io_published"] if published_layers and name == "inception_v3" else [])]
            for _ in measure(section, name, results, names, sizes, large, quick):
                path.write_text(json.dumps(results, indent=1), encoding="utf-8")  # so that Ctrl-C loses little
    Console().print(Markdown(table.markdown(results)))
    if readme:
        table.adopt(results)
    print(path)


def measure(
    section: str, name: str, results: dict[str, Any], names: list[str], sizes: Any, large: Any, quick: bool
) -> Iterator[None]:
    """Measure one section of one network into the results; yield whenever they have changed."""
    network = results["networks"][name]
    if section == "peak":
        network["flop_per_pixel"] = fresh(f"{name}: operations", peak.flop_per_pixel, name)
        if "flop_per_second" not in results:
            results["flop_per_second"] = fresh("convolutions", peak.convolution_peak, 3 if quick else 9)
    elif section == "speed":
        network["speed"] = fresh(
            f"{name}: speed", speed.speed, name, sizes, names, 2 if quick else 20, (2, 9) if quick else (4, 9)
        )
    elif section == "alone":
        network["alone"] = []
        for shape in (*sizes, *large):
            for who in names if shape not in large else [OURS]:
                rounds = (1, 1) if shape in large else (3, 9) if who == OURS else (2, 2)
                label = f"{name}: {TITLES[who]} alone, {shape[0]}×{shape[1]}"
                try:
                    row = fresh(label, alone.alone, name, who, shape, 1 if quick else 4, rounds)
                except BrokenProcessPool:
                    row = {"size": shape, "contestant": who, "killed": True}
                network["alone"].append(row)
                yield
    elif section == "loop" and "loop" not in results:
        side = 512 if quick else 2048
        results["loop"] = {
            "`make demo`": fresh("make demo", loop.demo, 2 if quick else None),
            f"one octave of {side}×{side}": fresh("one octave", loop.one_octave, (side, side), 2 if quick else 20),
        }
    yield


def fresh(label: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a new process with TensorFlow loaded, and return its result.

    Raises:
        BrokenProcessPool: the process was killed, as Linux does when memory runs out.
    """
    Console(stderr=True).print(label, style="dim", highlight=False)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), initializer=tensorflow) as pool:
        return pool.submit(function, *arguments).result()


if __name__ == "__main__":
    main()
