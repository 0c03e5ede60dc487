"""The memory of this process, now and at its peak, as Linux reports it; None on other systems."""

from __future__ import annotations

from pathlib import Path

STATUS, CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident() -> int | None:
    """Return the process's resident memory in bytes."""
    return _status("VmRSS")


def peak() -> int | None:
    """Return the peak resident memory in bytes since the process started, or since ``reset_peak``."""
    return _status("VmHWM")


def reset_peak() -> bool:
    """Reset the peak; return False where the system does not allow it, and the peak since the start remains."""
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
