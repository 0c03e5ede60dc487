"""Measurements as Markdown: the output of ``make bench``, and the README's section on speed.

``python -m benchmarks.table RESULTS.json`` prints it again; with ``--readme`` it puts those results into the README.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from benchmarks import figures
from benchmarks.contestants import TITLES
from benchmarks.figures import OURS, Size, pixels

HERE = Path(__file__).parent
LATEST, README = HERE / "latest.json", HERE.parent / "README.md"
BEGIN, END = "<!-- made by: make bench ARGS=--readme -->\n", "<!-- end of what is made -->\n"

NETWORKS = {"inception_v3": "InceptionV3", "efficientnet_lite0": "EfficientNet-Lite0, the default network"}


def markdown(results: Mapping[str, Any]) -> str:
    """Return the whole report, without sections that were not measured."""
    lines = [machine(results), ""]
    for name, network in results["networks"].items():
        if "speed" in network or "alone" in network:
            lines += [f"**{NETWORKS[name]}**, {' + '.join(f'`{layer}`' for layer in network['layers'])}:", ""]
            lines += [*_table(network), "", *_facts(network, results.get("flop_per_second")), ""]
    if results.get("loop"):
        shares = [f"{100 * figures.share(timings):.1f} % ({name})" for name, timings in results["loop"].items()]
        lines += [f"Of a dream's time after its first step, the gradient call takes {' and '.join(shares)}.", ""]
    return "\n".join(lines)


def machine(results: Mapping[str, Any]) -> str:
    """Return one line: the machine, and when it was measured."""
    of = results["machine"]
    parts = [
        of["cpu"],
        f"{of['cores']} cores" + (f" ({of['vector']})" if of["vector"] else ""),
        *([f"threads limited to {of['threads']}"] if of["threads"] != of["cores"] else []),
        f"{of['memory_bytes'] / 2**30:.0f} GB",
        f"TensorFlow {of['versions']['tensorflow']}",
        f"Keras {of['versions']['keras']}",
    ]
    return f"Measured on {results['date']}: {', '.join(parts)}."


def adopt(results: Mapping[str, Any]) -> None:
    """Save results as the latest, and put them into the README."""
    LATEST.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    text = with_section(README.read_text(encoding="utf-8"), markdown(results))
    README.write_text(text, encoding="utf-8")


def with_section(readme: str, section: str) -> str:
    """Return the README with the section between the two marks replaced."""
    before, rest = readme.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{section}\n{END}{after}"


def _table(network: Mapping[str, Any]) -> Iterator[str]:
    """Yield the rows of one network: one for each size, with a column for each contestant."""
    speed, alone = network.get("speed", []), network.get("alone", [])
    costs, peaks, lone = figures.costs(speed), figures.peaks(alone), figures.lone_costs(alone)
    sizes = sorted({*costs, *peaks, *lone}, key=pixels)
    present = {row["contestant"] for row in (*speed, *alone)}
    names = [name for name in TITLES if name in present]
    killed = {(figures.size_of(row), row["contestant"]) for row in alone if row.get("killed")}
    yield _row("picture", *(TITLES[name] for name in names))
    yield _row("---", *("---:" for _ in names))
    for size in sizes:
        at = costs.get(size) or ({OURS: lone[size]} if size in lone else {})
        cells = []
        for name in names:
            ratio = at[name] / at[OURS] if name in at and OURS in at and name != OURS else None
            parts = [f"{at[name]:,.0f} ns" + (f" ({ratio:.2f}×)" if ratio else "")] if name in at else []
            parts += [f"{peaks[size][name] / 1e6:,.0f} MB"] if name in peaks.get(size, {}) else []
            cells.append("out of memory" if (size, name) in killed else ", ".join(parts))
        yield _row(_size(size), *cells)
    means = figures.mean_ratios(speed)
    if means:
        yield _row("geometric mean from 512×512 on", *(f"{means[n]:.2f}×" if n in means else "" for n in names))


def _facts(network: Mapping[str, Any], flop_per_second: float | None) -> Iterator[str]:
    """Yield list items with facts that are not in the table."""
    speed, alone = network.get("speed", []), network.get("alone", [])
    costs = {size: row[OURS] for size, row in figures.costs(speed).items() if OURS in row}
    if flop_per_second and costs:
        size = min(costs, key=lambda size: abs(pixels(size) - 1024**2))
        least = figures.floor(network["flop_per_pixel"], flop_per_second)
        yield (
            f"- Convolutions here reach {flop_per_second / 1e9:,.0f} GFLOP/s at best, and the gradient needs "
            f"{network['flop_per_pixel']:,.0f} operations a pixel: {least:,.0f} ns. kerasdream gets "
            f"{100 * least / costs[size]:.0f} % of that speed at {_size(size)}."
        )
    flat = figures.flatness(alone)
    if len(flat) > 1:
        low, high = (100 * (pick(flat.values()) - 1) for pick in (min, max))
        yield (
            f"- From {_size(min(flat, key=pixels))} to {_size(max(flat, key=pixels))} its cost per pixel stays between "
            f"{low:+.1f} % and {high:+.1f} % of the mean."
        )
    growth = figures.growth(alone, smallest=1000**2)
    if growth:
        small, large = max(growth, key=lambda pair: pixels(pair[1]) - pixels(pair[0]))
        most = max(0, *growth.values())
        between = f", between two of these sizes by at most {most:.0f}" if len(growth) > 1 else ""
        grown = f"its memory grows by {growth[small, large]:.0f} bytes a pixel{between}"
        yield f"- From {_size(small)} to {_size(large)} {grown}."
    first = figures.first_steps(alone)
    if first:
        times = [f"{row['first_s']:.1f} s ({TITLES[name]})" for name, row in first.items()]
        yield f"- From the network to the first step done, traces included: {', '.join(times)}."


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _size(size: Size) -> str:
    return f"{size[0]}×{size[1]}"


@click.command()
@click.argument("path", type=click.Path(exists=True, dir_okay=False, path_type=Path), default=LATEST)
@click.option("--readme", is_flag=True, help="Save them as benchmarks/latest.json and put them into the README.")
def main(path: Path, readme: bool) -> None:
    """Print the results in a file as Markdown."""
    results = json.loads(path.read_text(encoding="utf-8"))
    print(markdown(results))
    if readme:
        adopt(results)


if __name__ == "__main__":
    main()
