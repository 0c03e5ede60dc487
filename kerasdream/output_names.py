"""The names of outputs: what stands in braces is filled in."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kerasdream.errors import OutputError

FRAME = "{frame}"
"""Stands for the number of a frame, 0001 and so on: the output then has a file for each frame."""

NAMES = "stem", "seed", "frame"
"""What may stand in braces in an output's path."""


@dataclass(frozen=True)
class Ending:
    """Marks an output's path as one that ends in one of these, in whatever case.

    ``path: Annotated[str, Ending((".jpg", ".jpeg"))]``
    """

    endings: tuple[str, ...]

    def __get_pydantic_core_schema__(self, path: Any, handler: Callable[[Any], Any]) -> Any:
        from pydantic_core import PydanticCustomError, core_schema

        def checked(path: str) -> str:
            if not path.lower().endswith(self.endings):
                raise PydanticCustomError("ending", f"a file name that ends in {' or '.join(self.endings)}")
            return path

        return core_schema.no_info_after_validator_function(checked, handler(path))

    def __get_pydantic_json_schema__(self, core: Any, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        either = "|".join("".join(f"[{c}{c.upper()}]" for c in ending.removeprefix(".")) for ending in self.endings)
        return {**handler(core), "pattern": rf"\.({either})$"}


def filled(path: str, names: Mapping[str, str]) -> str:
    """Fills in the names in braces; ``{frame}`` is left for ``of_frame``.

    Args:
        names: a text for each of ``NAMES`` but ``frame``.

    Raises:
        OutputError: there is another name in braces, or no file name; or ``{frame}`` is in the name of a folder.
    """
    names = {**names, "frame": FRAME}
    for name in re.findall(r"{(\w+)}", path):
        if name not in names:
            raise OutputError(f"the output path {path!r} has {{{name}}}; expected {{{'}, {'.join(NAMES)}}}")
    if not Path(path).name:
        raise OutputError(f"the output path {path!r} names no file; expected one such as {{stem}}-dream.png")
    if FRAME in str(Path(path).parent):
        raise OutputError(f"the output path {path!r} has {FRAME} in a folder's name; expected it in the file's")
    return re.sub(r"{(\w+)}", lambda match: names[match[1]], path)


def is_framed(path: Path) -> bool:
    """Whether an output has a file for each frame, rather than one for all."""
    return FRAME in path.name


def of_frame(path: Path, number: int, count: int) -> Path:
    """The file of one frame, of which there are ``count``, numbered from 0; named from 1, so that names sort."""
    return path.with_name(path.name.replace(FRAME, f"{number + 1:0{max(4, len(str(count)))}}"))


def files_of(path: Path, count: int) -> list[Path]:
    """Every file that an output writes in a run of ``count`` frames."""
    return [of_frame(path, number, count) for number in range(count)] if is_framed(path) else [path]
