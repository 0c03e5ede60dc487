"""Several pictures under one name: a pattern."""

from __future__ import annotations

import glob
import os
from pathlib import Path


def is_glob(name: str, base: Path) -> bool:
    """Whether a name is a pattern rather than a file or folder."""
    return glob.has_magic(name) and not (base / Path(name).expanduser()).exists()


def matching(pattern: str, base: Path) -> list[Path]:
    """Return the files that match a pattern, relative to ``base``, by name; ``**`` stands for any folders."""
    pattern = os.path.expanduser(pattern)
    return sorted(base / name for name in glob.glob(pattern, root_dir=base, recursive=True))
