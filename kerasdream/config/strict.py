"""The base of everything in a run file that pydantic validates."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class StrictModel(BaseModel):
    """Plain settings: unknown keys, conversions between types and infinite numbers are rejected."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)
