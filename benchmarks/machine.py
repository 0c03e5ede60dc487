"""The machine and the versions that were measured."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path
from typing import Any


def describe() -> dict[str, Any]:
    """Return the machine and the versions as plain data, without loading TensorFlow."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = os.environ.get("TF_NUM_INTRAOP_THREADS") or os.environ.get("OMP_NUM_THREADS") or cores
    versions = {name: metadata.version(name) for name in ("kerasdream", "tensorflow", "keras", "numpy")}
    return {
        **_processor(),
        "cores": cores,
        "threads": int(threads),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "load": round(os.getloadavg()[0], 2),
        "system": platform.system(),
        "versions": {"python": platform.python_version(), **versions},
    }


def _processor() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    text = path.read_text() if path.exists() else ""
    model = re.search(r"^model name\s*: (.+)$", text, re.MULTILINE)
    flags = re.search(r"^flags\s*: (.+)$", text, re.MULTILINE)
    known = (("avx512f", "AVX-512"), ("avx2", "AVX2"))
    vector = next((name for flag, name in known if flags and flag in flags[1].split()), "")
    return {"cpu": model[1] if model else platform.processor() or platform.machine(), "vector": vector}
