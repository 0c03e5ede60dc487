"""The names of outputs: what stands in braces is filled in."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from kerasdream.errors import OutputError

NAMES = "stem", "seed"
"""What may stand in braces in an output's path."""


def filled(path: str, names: Mapping[str, str]) -> str:
    """Fills in the names in braces.

    Args:
        names: a text for each of ``NAMES``.

    Raises:
        OutputError: there is another name in braces, or no file name.
    """
    for name in re.findall(r"{(\w+)}", path):
        if name not in names:
            raise OutputError(f"the output path {path!r} has {{{name}}}; expected {{{'} or {'.join(names)}}}")
    if not Path(path).name:
        raise OutputError(f"the output path {path!r} names no file; expected one such as {{stem}}-dream.png")
    return re.sub(r"{(\w+)}", lambda match: names[match[1]], path)
