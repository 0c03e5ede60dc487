"""Numbers that change while a dream runs: ``{from: 11, to: 6}`` or ``{keys: {0: 1, 10: 3}}`` in place of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Number = TypeVar("Number")
Over = Literal["steps", "octaves", "run"]


@dataclass(frozen=True)
class Progress:
    """Where a run stands: octave and step count from 0; ``run_step`` counts through all octaves."""

    octave: int = 0
    octaves: int = 1
    step: int = 0
    steps: int = 1
    run_step: int = 0
    run_steps: int = 1

    def along(self, over: Over) -> tuple[int, int]:
        """Returns (position, length) along the axis a schedule runs over."""
        return {
            "steps": (self.step, self.steps),
            "octaves": (self.octave, self.octaves),
            "run": (self.run_step, self.run_steps),
        }[over]


class Ramp(BaseModel, Generic[Number]):
    """Linear from the first to the last step of each octave (``over: steps``), over the octaves, or the whole run."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    start: Number = Field(alias="from")
    end: Number = Field(alias="to")
    over: Over = "steps"

    def at(self, progress: Progress) -> float:
        """Returns the value at this point of the run."""
        position, length = progress.along(self.over)
        share = position / (length - 1) if length > 1 else 0.0
        return self.start + (self.end - self.start) * min(share, 1.0)

    def times(self, factor: float) -> Ramp[Number]:
        """Returns the same schedule of numbers ``factor`` times as large."""
        return self.model_copy(update={"start": self.start * factor, "end": self.end * factor})


class Keys(BaseModel, Generic[Number]):
    """Values at given steps (of the octave, or of what ``over`` says), linear in between, constant outside."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    keys: dict[int, Number] = Field(min_length=1, json_schema_extra={"propertyNames": {"pattern": "^-?[0-9]+$"}})
    over: Over = "steps"

    def at(self, progress: Progress) -> float:
        """Returns the value at this point of the run."""
        position, _ = progress.along(self.over)
        steps = sorted(self.keys)
        left = max((s for s in steps if s <= position), default=steps[0])
        right = min((s for s in steps if s >= position), default=steps[-1])
        if left == right or position <= steps[0]:
            return float(self.keys[left])
        return self.keys[left] + (self.keys[right] - self.keys[left]) * (position - left) / (right - left)

    def times(self, factor: float) -> Keys[Number]:
        """Returns the same schedule of numbers ``factor`` times as large."""
        return self.model_copy(update={"keys": {step: value * factor for step, value in self.keys.items()}})


def _form(value: Any) -> str:
    if isinstance(value, dict):
        return "keys" if "keys" in value else "ramp"
    return {Ramp: "ramp", Keys: "keys"}.get(
        getattr(type(value), "__pydantic_generic_metadata__", {}).get("origin"), "number"
    )


SCHEDULES = {"ramp": ("from", "to", "over"), "keys": ("keys", "over")}
"""The tags by which pydantic names the alternatives to a number in the location of an error, and their keys."""


def scheduled(number: Any) -> Any:
    """Returns the type "``number``, or a schedule of such numbers" for a parameter annotated with ``number``."""
    return Annotated[
        Annotated[number, Tag("number")] | Annotated[Ramp[number], Tag("ramp")] | Annotated[Keys[number], Tag("keys")],
        Discriminator(_form),
    ]


def is_schedule(value: Any) -> bool:
    """Whether a validated parameter is a schedule."""
    return isinstance(value, (Ramp, Keys))
