"""Sums of objectives in a run file: ``sum: [...]``, or ``sum: {of: [...], weight: 2, mask: mask.png}``.

A sum is no part of its own: as objectives are added anyway, it stands for its summands, each with the weight and the
mask of the whole on top of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from kerasdream.config import document as source
from kerasdream.images.masks import Mask, MaskFile
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import is_schedule, scheduled

if TYPE_CHECKING:
    from kerasdream.config.resolve import Resolver


class Sum(BaseModel):
    """What holds for a whole sum."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    weight: scheduled(float) = Field(1.0, description="Factor of the whole sum.")  # type: ignore[valid-type]
    mask: MaskFile | None = Field(None, description="Where the whole sum counts: a picture, white for fully.")


def summands(resolver: Resolver, value: Any, path: source.Path) -> Iterator[PartSpec]:
    """Yields the objectives of a sum as they stand without one; reports what is wrong."""
    written_out = isinstance(value, dict) and "of" in value
    of, at = (value["of"], (*path, "of")) if written_out else (value, path)
    shared = {name: given for name, given in value.items() if name != "of"} if written_out else {}
    whole: Sum = resolver.check(Sum, shared, path) or Sum()
    if of is None or of == []:
        resolver.fault(at, "expected one objective or more, not none")
        return
    for entry in resolver.entries("objectives", of, at):
        both = {
            "mask": entry.mask and whole.mask,
            "schedule of weights": is_schedule(entry.weight) and is_schedule(whole.weight),
        }
        twice = [what for what, there in both.items() if there]
        for what in twice:
            resolver.fault(entry.path, f"has a {what}, and so has the sum it stands in; expected one of them alone")
        if not twice:
            yield _within(entry, whole.weight, resolver.absolute(whole.mask))


def _within(entry: PartSpec, weight: Any, mask: Mask | None) -> PartSpec:
    """Returns an entry with the weight and the mask of a sum on top of its own."""
    if is_schedule(entry.weight):
        weight = entry.weight.times(weight)
    else:
        weight = weight.times(entry.weight) if is_schedule(weight) else entry.weight * weight
    values = {**entry.values, "weight": weight}
    plain = {**entry.plain, "weight": weight.model_dump(mode="json", by_alias=True) if is_schedule(weight) else weight}
    if mask:
        values["mask"] = mask
        plain["mask"] = mask.plain
    return replace(entry, values=values, plain=plain)
