"""Sums of objectives in a run file: ``sum: {of: [...], weight: 2}``.

A sum is no part of its own: as objectives are added anyway, it stands for its summands, each with the weight of the
whole on top of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from kerasdream.entry import Entry
from kerasdream.errors import ConfigError
from kerasdream.schedules import is_schedule, scheduled

SUM = "sum"
"""The name under which a sum stands among the objectives."""


class Sum(BaseModel):
    """What holds for a whole sum."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    weight: scheduled(float) = Field(1.0, description="Factor of the whole sum.")  # type: ignore[valid-type]


def summand(entry: Entry, whole: Sum) -> Entry:
    """Returns an objective of a sum as it stands without one.

    Raises:
        ConfigError: both have a schedule for their weights.
    """
    weight = _product(entry.weight, whole.weight)
    plain = weight.model_dump(mode="json", by_alias=True) if is_schedule(weight) else weight
    return replace(entry, values={**entry.values, "weight": weight}, plain={**entry.plain, "weight": plain})


def _product(one: Any, other: Any) -> Any:
    if is_schedule(one) and is_schedule(other):
        raise ConfigError("the weight has a schedule, and so has that of the sum; expected one of them to be a number")
    if is_schedule(one):
        return one.times(other)
    return other.times(one) if is_schedule(other) else one * other
