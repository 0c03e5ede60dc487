"""How much memory this process holds and has held, as Linux counts it; None elsewhere."""

from __future__ import annotations

from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident() -> int | None:
    """Bytes of the process in memory now."""
    return _status("VmRSS")


def peak() -> int | None:
    """The most bytes the process has had in memory since it began, or since ``reset_peak``."""
    return _status("VmHWM")


def reset_peak() -> bool:
    """Forgets the peak; False where the system does not allow that: it stays the peak since the process began."""
    try:
        CLEAR.write_text("5")
    except OSError:
        return False
    return True


def _status(field: str) -> int | None:
    if not STATUS.exists():
        return None
    lines = dict(line.split(":", 1) for line in STATUS.read_text().splitlines())
    return int(lines[field].split()[0]) * 1024
