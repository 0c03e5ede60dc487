"""The contact sheet: all tiles of an atlas in one labelled picture."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypeAlias

from PIL import Image, ImageDraw, ImageFont

from kerasdream.atlas.content import Atlas, Section, Tile, facts
from kerasdream.errors import DreamError

BACKGROUND, EMPTY, BRIGHT, DIM = "#1b1b1d", "#262629", "#f2f2f0", "#a3a3a0"
GUTTER, GAP = 16, 6
TITLE, NAME, SMALL = 26, 17, 13
"""Font sizes in pixels."""

SMALLEST = 8.0
"""Font size, in pixels, below which a line is shortened instead."""


Font: TypeAlias = "ImageFont.FreeTypeFont | ImageFont.ImageFont"


class Label(NamedTuple):
    """A line of text."""

    text: str
    size: int
    colour: str


def make(atlas: Atlas, tiles: Path) -> Image.Image:
    """Return the sheet, made from the files in the folder ``tiles``; a tile to which nothing responds has no file."""
    cell = cell_size(atlas, tiles)
    rows = list(_rows(atlas))
    width = atlas.columns * (cell[0] + GUTTER) + GUTTER
    heights = [_over(heading) + (cell[1] + _under(row) if row else 0) + GUTTER for heading, row in rows]
    sheet = Image.new("RGB", (width, sum(heights) + GUTTER), BACKGROUND)
    pen, top = ImageDraw.Draw(sheet), GUTTER
    for (heading, row), height in zip(rows, heights, strict=True):
        _write(pen, (GUTTER, top), heading, width - 2 * GUTTER)
        below = top + _over(heading)
        for column, (file, labels) in enumerate(row):
            left = GUTTER + column * (cell[0] + GUTTER)
            if (tiles / file).exists():
                sheet.paste(_open(tiles / file), (left, below))
            else:
                pen.rectangle((left, below, left + cell[0] - 1, below + cell[1] - 1), fill=EMPTY)
                silent = [Label(word, SMALL, DIM) for word in ("nothing", "responds")]
                _write(pen, (left + GAP, below + GAP), silent, cell[0] - 2 * GAP)
            _write(pen, (left, below + cell[1] + GAP), labels, cell[0])
        top += height
    return sheet


def cell_size(atlas: Atlas, tiles: Path) -> tuple[int, int]:
    """Return the width and height of the tiles.

    Raises:
        DreamError: there are no tiles.
    """
    files = [tiles / f"{tile.file}.png" for tile in atlas.tiles]
    sizes = [_open(file).size for file in files if file.exists()]
    if not sizes:
        raise DreamError("none of these layers or channels responds; choose others, or start from a photo")
    return max(sizes)


def _rows(atlas: Atlas) -> Iterator[tuple[list[Label], list[tuple[str, list[Label]]]]]:
    """Yield the rows from top to bottom: the lines above a row, then the file of each tile with the lines below it."""
    yield [Label(atlas.title, TITLE, BRIGHT)], []
    for section in atlas.sections:
        cells = [(f"{tile.file}.png", _labels(section, tile)) for tile in section.tiles]
        if atlas.photo is not None:
            cells.insert(0, ("photo.png", [Label("the photo", NAME, BRIGHT), Label("before", SMALL, DIM)]))
        heading = []
        if section.layer is not None:
            heading = [Label(section.layer.name, NAME, BRIGHT), Label(facts(section.layer), SMALL, DIM)]
        for start in range(0, len(cells), atlas.columns):
            yield heading if start == 0 else [], cells[start : start + atlas.columns]


def _labels(section: Section, tile: Tile) -> list[Label]:
    if section.layer is not None or tile.layer is None:
        return [Label(tile.name, NAME if tile.layer is None else SMALL, BRIGHT)]
    return [Label(tile.name, NAME, BRIGHT), Label(facts(tile.layer), SMALL, DIM)]


def _over(heading: list[Label]) -> int:
    return sum(map(_line, heading)) + GAP * bool(heading)


def _under(row: list[tuple[str, list[Label]]]) -> int:
    return GAP + max(sum(map(_line, labels)) for _, labels in row)


def _line(label: Label) -> int:
    return round(label.size * 1.4)


def _write(pen: ImageDraw.ImageDraw, place: tuple[int, int], labels: list[Label], width: int) -> None:
    """Write lines one below the other, in smaller type where a line is too wide; the page has them in full."""
    left, top = place
    for label in labels:
        text, font = _fitted(label, width)
        pen.text((left, top), text, fill=label.colour, font=font)
        top += _line(label)


def _fitted(label: Label, width: int) -> tuple[str, Font]:
    """Return a text and a font that fit into a width: smaller, and if need be shortened; a name in the middle, a…z."""
    font = ImageFont.load_default(label.size)
    length = font.getlength(label.text)
    if length <= width:
        return label.text, font
    text, font = label.text, ImageFont.load_default(max(SMALLEST, label.size * width / length))
    for kept in range(len(text) - 1, 0, -1):
        if font.getlength(text) <= width:
            break
        end = 0 if " " in label.text else kept // 2
        text = f"{label.text[: kept - end]}…{label.text[len(label.text) - end :]}"
    return text, font


def _open(file: Path) -> Image.Image:
    return Image.open(file).convert("RGB")
