"""The command ``atlas``: choose layers, channels or classes; draw the tiles, the contact sheet and the page."""

from __future__ import annotations

import io
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kerasdream._files import at_home
from kerasdream.cli.options import OVERRIDES, PLUGINS, QUIET, TRUST, create, echo, interruptible
from kerasdream.errors import ModelError, did_you_mean

if TYPE_CHECKING:
    from kerasdream.atlas.content import Atlas
    from kerasdream.components import Network
    from kerasdream.config.run_config import RunConfig
    from kerasdream.models.tables import Layer

SHOWN = 6
"""How many layers that are not drawn are named."""

SIZES = {"layers": 288, "channels": 160, "classes": 224}
"""Default side of the tiles, in pixels."""


def _names(context: click.Context, option: click.Parameter, text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _indices(context: click.Context, option: click.Parameter, text: str | None) -> list[int]:
    from kerasdream.atlas.content import indices

    names = option.name == "classes"
    try:
        return [] if text is None else list(dict.fromkeys(indices(text, names)))
    except ValueError as error:
        or_name = " or names" if names else ""
        raise click.BadParameter(f"expected numbers{or_name}, such as 0:16 or 3,7, not {error}") from None


@dataclass(frozen=True)
class Request:
    """What to draw, and with which network: the options of the command, under their names."""

    model: str
    layers: Sequence[str]
    channels: Sequence[int]
    classes: Sequence[int]
    photo: str | None
    size: int | None
    weights: str | None
    input_range: tuple[float, float] | None
    overrides: Sequence[str]
    plugin_files: Sequence[Path]
    trust: bool

    @property
    def kind(self) -> str:
        """One of the keys of ``SIZES``."""
        return "classes" if self.classes else "channels" if self.channels else "layers"

    @property
    def in_file(self) -> bool:
        """Whether the model is a file."""
        from kerasdream.models import model_entry

        return "file" in (model_entry(self.model) or {}) or Path(self.model).exists()

    def described(self) -> dict[str, Any]:
        """Return the key ``model`` of a run file."""
        if not self.in_file:
            return {"name": self.model, **({"weights": self.weights} if self.weights else {})}
        from kerasdream.models.loading import why_not
        from kerasdream.models.saved import takes_values_as_they_are

        file = Path(self.model)
        if reason := why_not(file):
            raise ModelError(reason)
        set_otherwise = any(text.startswith(("model.input_range", "model.preprocess")) for text in self.overrides)
        if self.input_range is None and not set_otherwise and takes_values_as_they_are(file):
            raise ModelError(
                f"which pixel values does {self.model} expect? Add --input-range with the range it was trained on, "
                "such as --input-range -1 1, or -s model.preprocess=caffe (or torch, tf)"
            )
        return {"file": self.model, **({"input_range": list(self.input_range)} if self.input_range else {})}

    def config(self, data: dict[str, Any]) -> RunConfig:
        """Resolve a run file with this model."""
        from kerasdream.config.document import YamlDocument
        from kerasdream.config.plugin_files import Trust
        from kerasdream.config.resolve import resolve

        document = YamlDocument({"model": self.described(), **data}, "kerasdream atlas")
        trust: Trust = "anywhere" if self.trust else "folder"
        return resolve(document, Path.cwd(), self.overrides, plugins=self.plugin_files, trust=trust)

    def check_layers(self, known: Collection[str]) -> None:
        """Raise ModelError if the network does not have one of the layers."""
        for name in self.layers:
            if name not in known:
                raise ModelError(f"{self.model} has no layer {name!r}; {did_you_mean(name, known)}")


@click.command()
@click.argument("model")
@click.option(
    "--layers",
    metavar="NAME,NAME",
    callback=_names,
    help="Layers to draw; by default a dozen from first to last.",
)
@click.option(
    "--channels", metavar="0:16", callback=_indices, help="Channels to draw: a row per layer, a tile per channel."
)
@click.option(
    "--classes", metavar="0:10", callback=_indices, help="Classes to draw, a tile each: numbers or ImageNet names."
)
@click.option("--photo", metavar="PHOTO", help="Photo in which the layers are shown, or noise; by default a raccoon.")
@click.option("--size", type=click.IntRange(32, 2048), help="Longer side of a tile, in pixels.")
@click.option("--weights", metavar="FILE", help="Weights file for a named network, used instead of a download.")
@click.option(
    "--input-range",
    nargs=2,
    type=float,
    metavar="LOW HIGH",
    help="For a model file: the range of pixel values it was trained on.",
)
@OVERRIDES
@PLUGINS
@TRUST
@click.option(
    "-o",
    "--output",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Output folder; by default MODEL-layers, MODEL-channels or MODEL-classes.",
)
@click.option("--overwrite", is_flag=True, help="Replace tiles that were drawn with other settings.")
@QUIET
def atlas(folder: Path | None, overwrite: bool, quiet: bool, **options: Any) -> None:
    """Draw what the layers of a MODEL respond to.

    MODEL is a name, or a .keras or .h5 file. By default each layer amplifies what it sees in one photo. With
    --channels, each channel draws from noise what it responds to; with --classes, the network draws each class. What
    cannot be drawn is listed with the reason.

    The output folder then holds atlas.png, a contact sheet; index.html, a page; and tiles/, each picture with its
    recipe. Run the same command again to resume after an interruption.
    """
    from kerasdream.atlas import content
    from kerasdream.atlas.drawing import draw
    from kerasdream.cli.display import TileDisplay

    request = Request(**options)
    if request.classes and (request.channels or request.layers):
        raise click.UsageError("--classes uses the whole network: leave out --layers and --channels")
    kind = request.kind
    with interruptible():
        made, network = _planned(request, quiet=quiet)
        configs = [request.config(content.run_of(made, tile, request.size or SIZES[kind])) for tile in made.tiles]
        folder = folder or Path(f"{Path(request.model).stem}-{kind}")
        tiles = folder / "tiles"
        create(tiles)
        named = [
            (tile.name if tile.layer is None or kind == "layers" else f"{tile.layer.name} {tile.name}", config)
            for tile, config in zip(made.tiles, configs, strict=True)
        ]
        with TileDisplay(len(named), quiet=quiet) as display:
            failed = draw(named, display, folder=tiles, overwrite=overwrite, network=network)
        if len(failed) == len(named):
            raise ModelError("nothing could be drawn: " + next(iter(failed.values())))
        made = content.without(made, [t.file for t, (name, _) in zip(made.tiles, named, strict=True) if name in failed])
        for file in _written(made, configs[0], folder):
            if not quiet:
                echo(file)


def _planned(request: Request, *, quiet: bool) -> tuple[Atlas, Network | None]:
    """Return the atlas, and the network if it had to be built to find its layers."""
    from kerasdream.atlas import content

    if request.classes:
        return content.of_classes(request.model, request.classes, not request.in_file), None
    known, network = _layers(request)
    names = request.layers or content.default_layers(request.model, known, bool(request.channels))
    rows = {layer.name: layer for layer in known}
    request.check_layers(rows)
    chosen = [rows[name] for name in names]
    flat = [layer.name for layer in known if not layer.stride] if request.in_file and not request.layers else []
    if flat and not quiet:
        names = ", ".join(flat[:SHOWN]) + (f" and {len(flat) - SHOWN} more" if len(flat) > SHOWN else "")
        advice = f"to draw classes: kerasdream atlas {request.model} --classes 0:5"
        echo(f"not drawn, because they have no positions in a picture: {names}; {advice}", err=True)
    if request.channels:
        return content.of_channels(request.model, chosen, request.channels), network
    photo = at_home(request.photo or content.PHOTO).absolute()
    return content.of_layers(request.model, chosen, None if request.photo == "noise" else photo), network


def _layers(request: Request) -> tuple[Sequence[Layer], Network | None]:
    """Return all layers of the network, from its shipped table or its file, otherwise by building it.

    Raises:
        ConfigError: the network is unknown.
        ModelError: the model file does not exist, or does not have one of the layers.
    """
    from kerasdream.models import tables
    from kerasdream.models.saved import layers_in_file
    from kerasdream.session.session import Session

    request.described()  # raises if the file is missing
    known = list(layers_in_file(Path(request.model)) or ()) if request.in_file else tables.layers(request.model)
    if known:
        return known, None
    first = next(iter(request.layers or ["any"]))  # a run needs an objective; this one is never evaluated
    session = Session(request.config({"image": "noise", "objectives": [{"l2": {"layer": first}}]}))
    return tables.layers_of(session.network), session.network


def _written(made: Atlas, config: RunConfig, folder: Path) -> list[Path]:
    """Write the photo, the sheet and the page; return the files to open."""
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
