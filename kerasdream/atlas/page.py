"""The page: the tiles of an atlas as HTML, each with the facts about its layer. It loads only the tiles."""

from __future__ import annotations

from html import escape
from pathlib import Path
from string import Template

from kerasdream.atlas.content import Atlas, Section, Tile, counts, meaning
from kerasdream.atlas.sheet import cell_size
from kerasdream.models.tables import Layer

TEMPLATE = Path(__file__).with_name("page.html.tmpl")

TERMS = """<p class="facts"><b>Channels</b>: how many different features a layer can tell apart. <b>Stride</b>: the
distance in pixels between a layer's responses; the larger the stride, the coarser its drawings.</p>"""
"""Explains the terms in the captions."""

SILENT = '<p class="silent">Nothing responds.</p>'
"""Shown in place of a missing picture."""


def make(atlas: Atlas, tiles: Path) -> str:
    """Return the page for the parent folder of ``tiles``; a tile to which nothing responds has no file there."""
    width, height = size = cell_size(atlas, tiles)
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(
        title=escape(atlas.title),
        lead=escape(atlas.lead),
        terms=TERMS if atlas.tiles[0].layer else "",
        sections="\n".join(_section(atlas, section, tiles, size) for section in atlas.sections),
        width=str(width),
        height=str(height),
    )


def _section(atlas: Atlas, section: Section, tiles: Path, size: tuple[int, int]) -> str:
    layer, heading = section.layer, ""
    if layer is not None:
        heading = f"<h2>{escape(layer.name)}</h2>\n<p>{escape(meaning(layer))}<br>{_facts(layer)}</p>\n"
    figures = []
    if atlas.photo is not None:
        before = _picture("photo", "The photo before", size)
        figures.append(_figure(before, "<b>the photo</b><br>before any layer changed it"))
    for tile in section.tiles:
        there = (tiles / f"{tile.file}.png").exists()
        picture = _picture(tile.file, _alternative(atlas, section, tile), size) if there else SILENT
        figures.append(_figure(picture, _caption(section, tile)))
    return f'{heading}<div class="tiles">\n{"".join(figures)}</div>'


def _alternative(atlas: Atlas, section: Section, tile: Tile) -> str:
    if section.layer is not None:
        return f"What {tile.name} of the layer {section.layer.name} of {atlas.model} looks for"
    if tile.layer is None:
        return f"What {atlas.model} draws for the class {tile.name}"
    return f"{'The photo' if atlas.photo else 'Noise'} as the layer {tile.name} of {atlas.model} amplifies it"


def _caption(section: Section, tile: Tile) -> str:
    name = f"<b>{escape(tile.name)}</b>"
    if section.layer is not None or tile.layer is None:
        return name
    return f"{name}<br>{escape(meaning(tile.layer))}<br>{_facts(tile.layer)}"


def _facts(layer: Layer) -> str:
    return f'<span class="facts">{", ".join(counts(layer))}</span>'


def _picture(file: str, alternative: str, size: tuple[int, int]) -> str:
    source = f"tiles/{escape(file)}.png"
    return (
        f'<a href="{source}"><img src="{source}" width="{size[0]}" height="{size[1]}" loading="lazy" '
        f'alt="{escape(alternative)}"></a>'
    )


def _figure(picture: str, caption: str) -> str:
    return f"<figure>{picture}\n<figcaption>{caption}</figcaption></figure>\n"
