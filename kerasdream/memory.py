"""How much memory this process has had."""

from __future__ import annotations

import sys


def peak() -> int | None:
    """Returns the most bytes this process has had in memory since it began, or None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
