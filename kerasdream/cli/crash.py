"""The log of a fault that nobody foresaw."""

from __future__ import annotations

import platform
import sys
import tempfile
import traceback
from importlib import metadata


def write_log(error: BaseException) -> str:
    """Writes traceback, command line and versions to a file of their own; returns its path."""
    with tempfile.NamedTemporaryFile("w", prefix="kerasdream-", suffix=".log", delete=False, encoding="utf-8") as file:
        file.write(f"{' '.join(sys.argv)}\npython {platform.python_version()} on {platform.platform()}\n")
        for name in ("kerasdream", "tensorflow", "keras", "numpy", "pillow"):
            try:
                file.write(f"{name} {metadata.version(name)}\n")
            except metadata.PackageNotFoundError:
                file.write(f"{name} not installed\n")
        traceback.print_exception(error, file=file)
    return file.name
