"""How large a view may be: a rule measured by network family, or what ``kerasdream tune`` found on this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from math import isqrt
from pathlib import Path
from typing import Any

IN_FLIGHT = 2
"""Batches under way at once: while one is cut out, put together or in an operation that takes one core, the other
computes (measured on two cores: 8 to 14 % of a step's time)."""

SHARE, MOST = 8, 640 * 2**20
"""Memory for the views under way if nothing is said: one ``SHARE``th of the machine's, at most ``MOST`` bytes."""

BYTES: Mapping[str, int] = {
    "convnext": 4400,
    "densenet": 1750,
    "efficientnet_b": 750,
    "efficientnet_lite0": 500,
    "efficientnet_v2": 750,
    "inception_resnet_v2": 860,
    "inception_v3": 570,
    "mobilenet": 620,
    "nasnet_mobile": 570,
    "resnet": 1130,
    "vgg": 1300,
    "xception": 1230,
}
"""Memory that a step takes for each pixel of a view, by the beginning of the network's name: what ``kerasdream tune``
measures, on 512² views, up to the deepest layer of stride 16."""

USUAL_BYTES = 1500
"""The same for other networks."""

LARGEST, SMALLEST = 1024, 192
"""Sides between which views are chosen: larger ones gain nothing, smaller ones lose too much to overlap."""


def view_side(model: str, memory: int | None = None) -> int:
    """Returns the side of the largest square view to use.

    Args:
        model: name of the network.
        memory: bytes for the views under way; None: a share of this machine's.

    The answer depends on the model, the machine's whole memory and the user's own rule, never on what else the machine
    is doing, so that the same file gives the same bytes.
    """
    own = own_rules().get(model, {})
    if memory is None and "size" in own:
        return int(own["size"])
    per_pixel = own.get("bytes") or next((BYTES[name] for name in BYTES if model.startswith(name)), USUAL_BYTES)
    budget = memory if memory is not None else min(MOST, total_memory() // SHARE)
    return max(SMALLEST, min(LARGEST, isqrt(budget // (IN_FLIGHT * per_pixel))))


def total_memory() -> int:
    """Returns the bytes of memory that this machine has, or a container's limit if that is lower."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):  # Windows has no sysconf
        total = 4 * 2**30
    for limit in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        try:
            text = Path(limit).read_text().strip()
        except OSError:
            continue
        if text.isdigit():
            total = min(total, int(text))
    return total


def rules_file() -> Path:
    """Returns where ``kerasdream tune`` keeps what it found: ``$KERASDREAM_CONFIG``, or the platform's place for it."""
    if chosen := os.environ.get("KERASDREAM_CONFIG"):
        return Path(chosen).expanduser() / "tiles.json"
    import platformdirs

    return Path(platformdirs.user_config_dir("kerasdream", appauthor=False)) / "tiles.json"


@cache
def own_rules() -> Mapping[str, Any]:
    """Returns what ``kerasdream tune`` found on this machine: model -> ``{"size": side, "bytes": per pixel}``."""
    try:
        rules = json.loads(rules_file().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return rules if isinstance(rules, dict) else {}
