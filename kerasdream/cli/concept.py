"""The command ``concept``: learn a direction from two folders of photos."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream.cli.options import PLUGINS, QUIET, TRUST, echo

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig

POOR = 0.7
"""Below this AUC, the layer hardly tells the photos apart."""


def _of_model(context: click.Context, option: click.Parameter, overrides: tuple[str, ...]) -> tuple[str, ...]:
    for text in overrides:
        if text.partition("=")[0] in ("model", "model.name", "model.file"):
            raise click.BadParameter(f"the network is given by --model, not by {text}")
        if not text.startswith("model."):
            raise click.BadParameter(f"expected a key of the model, such as model.input_range=[0,255], not {text}")
    return overrides


@click.command()
@click.argument("shows", type=click.Path(path_type=Path))
@click.argument("lacks", type=click.Path(path_type=Path))
@click.option("--layer", required=True, metavar="NAME", help="Layer to look at; kerasdream layers MODEL lists them.")
@click.option(
    "--model", default="efficientnet_lite0", show_default=True, metavar="NAME", help="Network, or model file."
)
@click.option(
    "-o",
    "--output",
    default="concept.npy",
    show_default=True,
    metavar="FILE",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File for the direction; it ends in .npy.",
)
@click.option("--overwrite", is_flag=True, help="Replace the file if it exists.")
@click.option("--crops", type=click.IntRange(1, 1000), default=8, show_default=True, help="Crops of each photo.")
@click.option(
    "--ridge",
    type=click.FloatRange(0, min_open=True),
    default=10.0,
    show_default=True,
    help="More: closer to the difference of the two means; less: closer to what tells the photos apart best.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the crops.")
@click.option("-s", "--set", "overrides", metavar="KEY=VALUE", multiple=True, callback=_of_model,
              help="Set a key of the model: -s model.input_range=[0,255]")  # fmt: skip
@PLUGINS
@TRUST
@QUIET
def concept(output: Path, overwrite: bool, quiet: bool, **options: Any) -> None:
    """Learn a concept: a direction in a layer's activations.

    SHOWS is a folder of photos that show the concept, LACKS one of photos that do not, at least two in each; a few
    dozen are better. The direction is written to a .npy file, for the objectives direction and cosine.

    \b
    kerasdream concept stripes/ plain/ --layer block8_expand -o stripes.npy
    """
    from rich.console import Console

    from kerasdream.concepts import learned, writable

    writable(output, overwrite=overwrite)
    shows, lacks, layer = (options.pop(name) for name in ("shows", "lacks", "layer"))
    of_network = {name: options.pop(name) for name in ("model", "overrides", "plugin_files", "trust")}
    config = _config(**of_network)
    with Console(stderr=True, quiet=quiet).status("loading photos") as status:
        found = learned(
            config,
            layer,
            shows,
            lacks,
            on_photo=lambda number, count: status.update(f"photo {number} of {count}"),
            **options,
        )
    found.save(output, overwrite=overwrite)
    if quiet:
        return
    for note in found.notes:
        echo(f"kerasdream: {note}", err=True)
    shown, other = found.photos
    echo(f"{output}: a direction of {found.layer}, {found.network}, from {shown} photos with it, {other} without")
    poor = "; the layer hardly tells them apart: try another one, or more photos" if found.auc < POOR else ""
    echo(f"AUC on photos held out: {found.auc:.3f} (1 is perfect, 0.5 is chance){poor}")
    echo("To draw it, write into a run file in this folder:")
    echo(f"  objectives: [{{cosine: {{layer: {found.layer}, direction: {output}}}}}]")


def _config(model: str, overrides: tuple[str, ...], plugin_files: tuple[Path, ...], trust: bool) -> RunConfig:
    """Resolve a run file with this network; its objective is never evaluated."""
    from kerasdream.components import Objective
    from kerasdream.config.document import YamlDocument
    from kerasdream.config.resolve import resolve

    data = {"model": model, "image": "noise", "objectives": [Objective("any", lambda activations: activations["any"])]}
    document = YamlDocument(data, "kerasdream concept")
    return resolve(document, Path.cwd(), overrides, plugins=plugin_files, trust="anywhere" if trust else "folder")
