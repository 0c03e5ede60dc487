"""The page: the tiles of an atlas for a browser, each with what is known of its layer. It needs no other files."""

from __future__ import annotations

from html import escape
from pathlib import Path

from kerasdream.atlas.content import Atlas, Section, Tile, facts, meaning
from kerasdream.atlas.sheet import cell_size
from kerasdream.models.tables import Layer
from kerasdream.new_plugin import rendered


def make(atlas: Atlas, tiles: Path) -> str:
    """Returns the page for the folder that holds the folder ``tiles``; what nothing responded to has no file there."""
    title, size = escape(atlas.title), cell_size(atlas, tiles)
    sections = "\n".join(_section(atlas, section, tiles, size) for section in atlas.sections)
    return rendered("atlas", "page.html", title=title, sections=sections, width=str(size[0]))


def _section(atlas: Atlas, section: Section, tiles: Path, size: tuple[int, int]) -> str:
    layer, heading = section.layer, ""
    if layer is not None:
        heading = f"<h2>{escape(layer.name)} {_facts(layer)}</h2>\n<p>{escape(meaning(layer))}</p>\n"
    figures = [_figure("photo", "The photo before", "<b>the photo</b>", size)] if atlas.photo is not None else []
    for tile in section.tiles:
        caption = _caption(section, tile)
        if (tiles / f"{tile.file}.png").exists():
            figures.append(_figure(tile.file, _alternative(atlas, section, tile), caption, size))
        else:
            figures.append(f"<figure><figcaption>{caption}<br>Nothing responds.</figcaption></figure>\n")
    return f'<section>\n{heading}<div class="tiles">\n{"".join(figures)}</div>\n</section>'


def _alternative(atlas: Atlas, section: Section, tile: Tile) -> str:
    if section.layer is not None:
        return f"What {tile.name} of the layer {section.layer.name} of {atlas.model} looks for"
    if tile.layer is None:
        return f"What {atlas.model} calls {tile.name}"
    return f"{'The photo' if atlas.photo else 'Noise'} as the layer {tile.name} of {atlas.model} amplifies it"


def _caption(section: Section, tile: Tile) -> str:
    name = f"<b>{escape(tile.name)}</b>"
    if section.layer is not None or tile.layer is None:
        return name
    return f"{name} {_facts(tile.layer)}<br>{escape(meaning(tile.layer))}"


def _facts(layer: Layer) -> str:
    return f'<span class="facts">{facts(layer)}</span>'


def _figure(file: str, alternative: str, caption: str, size: tuple[int, int]) -> str:
    source = f"tiles/{escape(file)}.png"
    return (
        f'<figure><a href="{source}"><img src="{source}" width="{size[0]}" height="{size[1]}" loading="lazy" '
        f'alt="{escape(alternative)}"></a>\n<figcaption>{caption}</figcaption></figure>\n'
    )
