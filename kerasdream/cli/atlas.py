"""The command ``atlas``: which layers, channels or classes, then the tiles, the sheet and the page."""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream.cli.options import PLUGINS, QUIET, create, interruptible
from kerasdream.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from kerasdream.atlas.content import Atlas
    from kerasdream.config.run_config import RunConfig
    from kerasdream.models.tables import Layer

FILES = ".keras", ".h5"
"""Endings of models in files."""

SIZES = {"layers": 288, "channels": 160, "classes": 224}
"""Side of the tiles, in pixels, where none is asked for."""


def _indices(context: click.Context, option: click.Parameter, text: str | None) -> list[int] | None:
    from kerasdream.atlas.content import indices

    names = option.name == "classes"
    try:
        return None if text is None else list(dict.fromkeys(indices(text, names)))
    except ValueError as error:
        or_name = " or names" if names else ""
        raise click.BadParameter(f"expected numbers{or_name}, as in 0:16 or 3,7, not {error}") from None


@click.command()
@click.argument("model")
@click.option("--layers", metavar="NAME,NAME", help="Which layers; by default a dozen from the first to the last.")
@click.option("--channels", metavar="0:16", callback=_indices, help="A row for each layer, a tile for each channel.")
@click.option("--classes", metavar="0:10", callback=_indices, help="A tile for each class: numbers, or ImageNet names.")
@click.option("--photo", metavar="PHOTO", help="What the layers are shown in: a photo, or noise; by default a raccoon.")
@click.option("--size", type=click.IntRange(32, 2048), help="Longer side of a tile, in pixels.")
@click.option("--weights", metavar="FILE", help="Weights of a named network, where they are not to be downloaded.")
@click.option(
    "--input-range", nargs=2, type=float, metavar="LOW HIGH", help="Of a .keras file: pixel values it was trained on."
)
@click.option(
    "-s", "--set", "overrides", metavar="KEY=VALUE", multiple=True, help="Override a value: -s octaves.steps=40"
)
@PLUGINS
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for all of it; by default MODEL-layers, MODEL-channels or MODEL-classes.",
)
@click.option("--overwrite", is_flag=True, help="Replace tiles that were drawn otherwise.")
@QUIET
def atlas(
    model: str,
    layers: str | None,
    channels: list[int] | None,
    classes: list[int] | None,
    folder: Path | None,
    overwrite: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Shows what the layers, channels or classes of a MODEL draw, side by side.

    MODEL is a name or a .keras file. Each layer amplifies what it sees in one photo; with --channels, each channel
    draws what it looks for from noise; with --classes, the network draws what it calls by a name. In the folder are
    then atlas.png, a contact sheet; index.html, a page; tiles/, each picture with its recipe. The same command again
    goes on where it was ended.
    """
    from kerasdream.atlas.drawing import TileProgress, draw

    if classes and (channels or layers):
        raise click.UsageError("--classes shows the whole network: leave out --layers and --channels")
    kind = "classes" if classes else "channels" if channels else "layers"
    with interruptible():
        made, configs, network = _asked(model, layers, channels, classes, kind, **options)
        folder = folder or Path(f"{Path(model).stem}-{kind}")
        tiles = folder / "tiles"
        create(tiles)
        named = [
            (tile.name if tile.layer is None or kind == "layers" else f"{tile.layer.name} {tile.name}", config)
            for tile, config in zip(made.tiles, configs, strict=True)
        ]
        with TileProgress(len(named), quiet=quiet) as progress:
            draw(named, progress, folder=tiles, overwrite=overwrite, network=network)
        for file in _written(made, configs[0], folder):
            if not quiet:
                click.echo(file)


def _asked(
    model: str,
    layers: str | None,
    channels: Sequence[int] | None,
    classes: Sequence[int] | None,
    kind: str,
    *,
    photo: str | None,
    size: int | None,
    weights: str | None,
    input_range: tuple[float, float] | None,
    overrides: Sequence[str],
    plugin_files: Sequence[Path],
) -> tuple[Atlas, list[RunConfig], Any]:
    """Returns what is to be shown, the run of each tile, and the network, if it had to be built to know its layers."""
    from kerasdream.atlas import content
    from kerasdream.config.document import YamlDocument
    from kerasdream.config.resolve import resolve
    from kerasdream.session.session import Session

    described = _described(model, weights, input_range)

    def configured(data: dict[str, Any]) -> RunConfig:
        document = YamlDocument({"model": described, **data}, "kerasdream atlas")
        return resolve(document, Path.cwd(), overrides, plugins=plugin_files)

    network = None
    if classes:
        made = content.of_classes(model, classes, "file" not in described)
    else:
        known, network = _layers(model, described, layers, lambda data: Session(configured(data)))
        named = _names(layers) or content.default_layers(model, known, bool(channels))
        rows = {layer.name: layer for layer in known}
        _check(model, named, rows)
        chosen = [rows[name] for name in named]
        if channels:
            made = content.of_channels(model, chosen, channels)
        else:
            picture = Path(photo or content.PHOTO).expanduser().absolute()
            made = content.of_layers(model, chosen, None if photo == "noise" else picture)
    return made, [configured(content.run_of(made, tile, size or SIZES[kind])) for tile in made.tiles], network


def _described(model: str, weights: str | None, input_range: tuple[float, float] | None) -> dict[str, Any]:
    """The key ``model`` of a run file."""
    if not model.endswith(FILES):
        return {"name": model, **({"weights": weights} if weights else {})}
    if not Path(model).is_file():
        raise ModelError(f"the model file {model} does not exist")
    if input_range is None:
        raise ModelError(
            f"what pixel values does {model} expect? Give --input-range 0 255 if it rescales them itself, "
            "--input-range -1 1 or 0 1 if that was done before"
        )
    return {"file": model, "input_range": list(input_range)}


def _layers(
    model: str, described: dict[str, Any], layers: str | None, session: Callable[[dict[str, Any]], Any]
) -> tuple[Sequence[Layer], Any]:
    """Returns all layers of the network: from the table shipped with it, or else of the network, which is built.

    Raises:
        ConfigError: there is no such network.
        ModelError: its file has no such layer.
    """
    from kerasdream.models import tables
    from kerasdream.models.file import layers_in_file

    in_file = layers_in_file(Path(model)) if "file" in described else None
    if "file" not in described and (known := tables.layers(model)):
        return known, None
    if in_file:
        _check(model, _names(layers), in_file)
    first = next(iter(_names(layers) or in_file or ["any"]))  # a run has an objective; this one is never made
    built = session({"image": "noise", "objectives": [{"l2": {"layer": first}}]}).network
    return tables.layers_of(built), built


def _check(model: str, names: Iterable[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise ModelError(f"{model} has no layer {name!r}; {did_you_mean(name, known)}")


def _names(layers: str | None) -> list[str]:
    return [name.strip() for name in (layers or "").split(",") if name.strip()]


def _written(made: Atlas, config: RunConfig, folder: Path) -> list[Path]:
    """Writes the photo, the sheet and the page; returns the files to look at."""
    from kerasdream import images
    from kerasdream.atlas import page, sheet

    tiles, data = folder / "tiles", io.BytesIO()
    if made.photo is not None:
        photo = images.read(made.photo, config.image.max_side)
        images.save(tiles / "photo.png", images.to_float(photo.stored), format="png")
    sheet.make(made, tiles).save(data, "PNG")
    files = {folder / "atlas.png": data.getvalue(), folder / "index.html": page.make(made, tiles).encode()}
    for path, content in files.items():
        with images.replacing(path) as file:
            file.write(content)
    return list(files)
