"""The file names of outputs: names in braces are filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from annotated_types import GroupedMetadata
from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from kerasdream.errors import OutputError

FRAME = "{frame}"
"""Placeholder for the frame number, 0001 and so on; with it, an output writes one file per frame."""

NAMES = "stem", "seed", "frame"
"""Placeholders allowed in an output's path."""


@dataclass(frozen=True)
class Ending(GroupedMetadata):
    """Restrict an output's path to these file name endings, in upper or lower case.

    ``path: Annotated[str, Ending((".jpg", ".jpeg"))]``
    """

    endings: tuple[str, ...]

    def __iter__(self) -> Iterator[object]:
        either = "|".join("".join(f"[{c}{c.upper()}]" for c in ending.removeprefix(".")) for ending in self.endings)
        yield AfterValidator(self._checked)
        yield WithJsonSchema({"type": "string", "pattern": rf"\.({either})$"})

    def _checked(self, path: str) -> str:
        if not path.lower().endswith(self.endings):
            raise PydanticCustomError("ending", f"a file name that ends in {' or '.join(self.endings)}")
        return path


def filled(path: str, names: Mapping[str, str]) -> str:
    """Fill in the placeholders, except ``{frame}``, which ``of_frame`` fills in.

    Args:
        names: the value of each of ``NAMES`` except ``frame``.

    Raises:
        OutputError: an unknown placeholder, no file name, or ``{frame}`` in a folder's name.
    """
    names = {**names, "frame": FRAME}
    for name in re.findall(r"{(\w+)}", path):
        if name not in names:
            raise OutputError(f"the output path {path!r} has {{{name}}}; expected {{{'}, {'.join(NAMES)}}}")
    if not Path(path).name:
        raise OutputError(f"the output path {path!r} names no file; expected one such as {{stem}}-dream.png")
    if FRAME in str(Path(path).parent):
        raise OutputError(f"the output path {path!r} has {FRAME} in a folder's name; move it to the file's name")
    return re.sub(r"{(\w+)}", lambda match: names[match[1]], path)


def is_framed(path: Path) -> bool:
    """Whether an output writes one file per frame rather than one for all."""
    return FRAME in path.name


def of_frame(path: Path, number: int, count: int) -> Path:
    """Return the file of frame ``number`` (from 0) of ``count``; names count from 1, zero-padded so that they sort."""
    return path.with_name(path.name.replace(FRAME, f"{number + 1:0{max(4, len(str(count)))}}"))


def files_of(path: Path, count: int) -> list[Path]:
    """Return every file that an output writes in a run of ``count`` frames."""
    return [of_frame(path, number, count) for number in range(count)] if is_framed(path) else [path]
