"""The page: the tiles of an atlas for a browser, each with what is known of its layer. It needs no other file but them."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from kerasdream.atlas.content import Atlas, Section, Tile, facts, meaning
from kerasdream.new_plugin import rendered


def make(atlas: Atlas, size: tuple[int, int]) -> str:
    """Returns the page; ``size`` is the (width, height) of its tiles, which are in the folder ``tiles`` beside it."""
    title = escape(atlas.title)
    sections = "\n".join(_section(atlas, section, size) for section in atlas.sections)
    return rendered("atlas", "page.html", title=title, sections=sections, width=str(size[0]))


def _section(atlas: Atlas, section: Section, size: tuple[int, int]) -> str:
    layer = section.layer
    heading = ""
    if layer is not None:
        heading = f'<h2>{escape(layer.name)} <span class="facts">{facts(layer)}</span></h2>\n<p>{escape(meaning(layer))}</p>\n'
    return f'<section>\n{heading}<div class="tiles">\n{"".join(_figures(atlas, section, size))}</div>\n</section>'


def _figures(atlas: Atlas, section: Section, size: tuple[int, int]) -> Iterator[str]:
    if atlas.photo is not None:
        yield _figure("photo", "The photo before", "<b>the photo</b>", size)
    for tile in section.tiles:
        yield _figure(tile.file, _alternative(atlas, section, tile), _caption(section, tile), size)


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
    return f'{name} <span class="facts">{facts(tile.layer)}</span><br>{escape(meaning(tile.layer))}'


def _figure(file: str, alternative: str, caption: str, size: tuple[int, int]) -> str:
    source = f"tiles/{escape(file)}.png"
    return (
        f'<figure><a href="{source}"><img src="{source}" width="{size[0]}" height="{size[1]}" loading="lazy" '
        f'alt="{escape(alternative)}"></a>\n<figcaption>{caption}</figcaption></figure>\n'
    )
