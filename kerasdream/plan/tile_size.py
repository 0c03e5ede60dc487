"""The largest size of a view: by measured memory per pixel, or as ``kerasdream tune`` found on this machine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from math import isqrt
from pathlib import Path
from typing import NamedTuple

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from kerasdream._files import at_home, replacing
from kerasdream.errors import ConfigError, OutputError

IN_FLIGHT = 2
"""Batches in progress at once: while one is being cut, assembled or in a single-core operation, the other computes
(measured on two cores: saves 8 to 14 % of a step's time)."""

SHARE, MOST = 8, 640 * 2**20
"""Default memory for the views in progress: one ``SHARE``th of the machine's, at most ``MOST`` bytes."""

BYTES: Mapping[str, int] = {
    "convnext": 4400,
    "densenet": 1750,
    "efficientnet_b0": 900,
    "efficientnet_b": 1400,
    "efficientnet_lite": 580,
    "efficientnet_v2_b": 500,
    "efficientnet_v2": 1070,
    "inception_resnet_v2": 1400,
    "inception_v3": 680,
    "mobilenet": 620,
    "nasnet_mobile": 570,
    "resnet": 1130,
    "vgg": 1300,
    "xception": 1030,
}
"""Memory of a step in bytes per pixel of a view, by the beginning of the network's name; the first match counts.
Measured by ``kerasdream tune`` on 512² views, up to the deepest layer of stride 16, mostly with a family's smallest
network."""

USUAL_BYTES = 1500
"""The same for all other networks."""

LARGEST, SMALLEST = 1024, 192
"""Range of the sides of views: larger ones gain nothing, smaller ones lose too much to overlap."""


class Rule(BaseModel):
    """Result of ``kerasdream tune`` for one network on this machine.

    Attributes:
        size: side of the largest views.
        bytes: memory of a step per pixel of a view; None if it could not be measured.
    """

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)

    size: int = Field(ge=32)
    bytes: int | None = Field(None, ge=1)


RULES = TypeAdapter(dict[str, Rule])
"""The file that ``kerasdream tune`` writes: network → rule."""


class OwnRules(NamedTuple):
    """The rules of this machine; if their file is damaged, none, and the error."""

    models: Mapping[str, Rule]
    error: str = ""


def tile_side(model: str, memory: int | None = None) -> int:
    """Return the side of the largest square view to use.

    It depends on the model, the machine's total memory and the user's own rule, but never on what else the machine is
    doing, so that the same run file gives the same bytes.

    Args:
        model: name of the network.
        memory: bytes for the views in progress; None: a share of this machine's.
    """
    own = own_rules().models.get(model)
    if memory is None and own is not None:
        return own.size
    per_pixel = own.bytes if own is not None and own.bytes else shipped_bytes(model)
    return largest_side(usual_memory() if memory is None else memory, per_pixel)


def shipped_bytes(model: str) -> int:
    """Return the memory of a step in bytes per pixel of a view, by the family that a network's name begins with.

    An ensemble, ``a+b``, needs as much as its networks together.
    """
    families = (next((family for family in BYTES if name.startswith(family)), "") for name in model.split("+"))
    return sum(BYTES.get(family, USUAL_BYTES) for family in families)


def largest_side(memory: int, per_pixel: int) -> int:
    """Return the side of the largest square view of which ``IN_FLIGHT`` fit into this many bytes."""
    return max(SMALLEST, min(LARGEST, isqrt(memory // (IN_FLIGHT * per_pixel))))


def usual_memory() -> int:
    """Return the default memory for the views in progress, in bytes."""
    return min(MOST, total_memory() // SHARE)


def total_memory() -> int:
    """Return this machine's memory in bytes, or a container's limit if that is lower."""
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
    """Return the file of ``kerasdream tune``: in ``$KERASDREAM_CONFIG``, or in the platform's folder for settings."""
    if chosen := os.environ.get("KERASDREAM_CONFIG"):
        return at_home(chosen) / "tiles.json"
    return Path(platformdirs.user_config_dir("kerasdream", appauthor=False)) / "tiles.json"


@cache
def own_rules() -> OwnRules:
    """Return the rules of this machine. A damaged file is ignored, and plans note it."""
    try:
        return OwnRules(read_rules())
    except ConfigError as error:
        return OwnRules({}, f"{error}; until then the default tile sizes are used")


def read_rules() -> dict[str, Rule]:
    """Read the rules of this machine, if there are any.

    Raises:
        ConfigError: the file is damaged, or cannot be read.
    """
    path = rules_file()
    try:
        return RULES.validate_json(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"{path}, written by kerasdream tune, cannot be read ({error.strerror})") from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(map(str, first["loc"]))
        raise ConfigError(
            f"{path}, written by kerasdream tune, is damaged ({place + ': ' if place else ''}{first['msg']}); fix or "
            "delete it, and tune again"
        ) from None


def save_rules(rules: Mapping[str, Rule]) -> None:
    """Write the rules of this machine, atomically.

    Raises:
        OutputError: the file cannot be written.
    """
    path = rules_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"the folder {path.parent} cannot be created ({error.strerror}); set KERASDREAM_CONFIG to another"
        ) from None
    with replacing(path) as file:
        file.write(RULES.dump_json(dict(rules), indent=2, exclude_none=True) + b"\n")
    own_rules.cache_clear()
