"""Several pictures under one name: a pattern."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from kerasdream._files import at_home
from kerasdream.errors import ImageError

MOST_VISITED = 50_000
"""Files and folders that are looked at for one pattern: more than any collection of photos needs."""


def is_glob(name: str, base: Path) -> bool:
    """Whether a name is a pattern rather than a file or folder."""
    return glob.has_magic(name) and not (base / at_home(name)).exists()


def matching(pattern: str, base: Path) -> list[Path]:
    """Return the files that match a pattern, relative to ``base``, by name; ``**`` stands for any folders.

    As in a shell, ``*`` does not match a name that starts with a dot. ``**`` follows no links to folders.

    Raises:
        ImageError: more than ``MOST_VISITED`` files and folders would have to be looked at.
    """
    path = at_home(pattern)
    start = Path(path.anchor) if path.is_absolute() else base
    return sorted(set(_Walk(pattern).below(start, path.relative_to(path.anchor).parts)))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to where one may not look
        return False


class _Walk:
    """The search for one pattern.

    Attributes:
        visited: how many files and folders were looked at.
    """

    def __init__(self, pattern: str) -> None:
        self.pattern, self.visited = pattern, 0

    def below(self, folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
        """Yield what matches the parts of a pattern below a folder."""
        if not parts:
            yield folder
            return
        first, rest = parts[0], parts[1:]
        if not glob.has_magic(first):
            if os.path.lexists(folder / first):
                yield from self.below(folder / first, rest)
            return
        if first == "**":
            yield from self.below(folder, rest) if rest else ()
        for entry in self.inside(folder, hidden=first.startswith(".")):
            if first == "**":
                if not rest:
                    yield folder / entry.name
                if entry.is_dir(follow_symlinks=False):
                    yield from self.below(folder / entry.name, parts)
            elif fnmatch(entry.name, first) and (not rest or _is_folder(entry)):
                yield from self.below(folder / entry.name, rest)

    def inside(self, folder: Path, *, hidden: bool) -> Iterator[os.DirEntry[str]]:
        """Yield what is in a folder, or what is hidden in it; nothing if it cannot be read."""
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self.visited += 1
                    if self.visited > MOST_VISITED:
                        raise ImageError(
                            f"{self.pattern}: more than {MOST_VISITED:,} files and folders would be searched; name a "
                            "folder nearer to the pictures"
                        )
                    if entry.name.startswith(".") == hidden:
                        yield entry
        except OSError:
            return
