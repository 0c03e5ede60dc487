"""Numbers that change during a run: ``{from: 11, to: 6}``, ``{keys: {0: 1, 10: 3}}`` or ``{each: [1, 2, 3]}`` in place
of a number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, TypeGuard, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

Number = TypeVar("Number", bound=float)
Over = Literal["steps", "octaves", "run"]


@dataclass(frozen=True)
class Progress:
    """Where a run is: octave and step counted from 0; ``run_step`` counts through all octaves."""

    octave: int = 0
    octaves: int = 1
    step: int = 0
    steps: int = 1
    run_step: int = 0
    run_steps: int = 1

    def along(self, over: Over) -> tuple[int, int]:
        """Return (position, length) along the axis a schedule runs over."""
        return {
            "steps": (self.step, self.steps),
            "octaves": (self.octave, self.octaves),
            "run": (self.run_step, self.run_steps),
        }[over]


class Ramp(BaseModel, Generic[Number]):
    """Linear from the first to the last step of each octave (``over: steps``), over the octaves, or the whole run."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    start: Number = Field(alias="from")
    end: Number = Field(alias="to")
    over: Over = "steps"

    def value_at(self, progress: Progress) -> float:
        """Return the value at this point of the run."""
        position, length = progress.along(self.over)
        share = position / (length - 1) if length > 1 else 0.0
        return self.start + (self.end - self.start) * min(share, 1.0)

    def times(self, factor: float) -> Ramp[Number]:
        """Return the schedule with all its numbers multiplied by ``factor``."""
        return self.model_copy(update={"start": self.start * factor, "end": self.end * factor})


class Keys(BaseModel, Generic[Number]):
    """Values at given steps (of the octave, or of what ``over`` says), linear in between, constant outside."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    keys: dict[int, Number] = Field(min_length=1, json_schema_extra={"propertyNames": {"pattern": "^-?[0-9]+$"}})
    over: Over = "steps"

    def value_at(self, progress: Progress) -> float:
        """Return the value at this point of the run."""
        position, _ = progress.along(self.over)
        steps = sorted(self.keys)
        left = max((s for s in steps if s <= position), default=steps[0])
        right = min((s for s in steps if s >= position), default=steps[-1])
        if left == right or position <= steps[0]:
            return float(self.keys[left])
        return self.keys[left] + (self.keys[right] - self.keys[left]) * (position - left) / (right - left)

    def times(self, factor: float) -> Keys[Number]:
        """Return the schedule with all its numbers multiplied by ``factor``."""
        return self.model_copy(update={"keys": {step: value * factor for step, value in self.keys.items()}})


RAMP, KEYS, EACH = "a ramp", "by keys", "by octaves"
"""The tags by which pydantic names the alternatives to a number in an error's location."""

SCHEDULES = {RAMP: ("from", "to", "over"), KEYS: ("keys", "over"), EACH: ("each",)}
"""Tag -> the keys of that schedule; the first one identifies it."""

MARKS = frozenset(keys[0] for keys in SCHEDULES.values())


def _tag_of_changing(value: Any) -> str:
    if _has("keys", value):
        return KEYS
    return RAMP if isinstance(value, dict) or is_schedule(value) else "number"


Changing = Annotated[
    Annotated[Number, Tag("number")] | Annotated[Ramp[Number], Tag(RAMP)] | Annotated[Keys[Number], Tag(KEYS)],
    Discriminator(_tag_of_changing),
]
"""A number, a ramp or keys of such numbers."""


class Each(BaseModel, Generic[Number]):
    """A value for each octave, coarse to fine: a number, or one that changes over the octave's steps.

    Values align with the finest octave; if coarse octaves are dropped, leading values are dropped too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    each: list[Changing[Number]] = Field(min_length=1)

    def value_at(self, progress: Progress) -> float:
        """Return the value at this point of the run."""
        item = self.each[len(self.each) - progress.octaves + progress.octave]
        return item.value_at(progress) if isinstance(item, (Ramp, Keys)) else item

    def times(self, factor: float) -> Each[Number]:
        """Return the schedule with all its numbers multiplied by ``factor``."""
        items = [item.times(factor) if isinstance(item, (Ramp, Keys)) else item * factor for item in self.each]
        return self.model_copy(update={"each": items})


def scheduled(number: Any) -> Any:
    """Return the type "``number``, or a schedule of such numbers" for a parameter annotated with ``number``."""
    changing: Any = Annotated[  # not Changing[number], which would leave Ramp and Keys without the bounds of the number
        Annotated[number, Tag("number")] | Annotated[Ramp[number], Tag(RAMP)] | Annotated[Keys[number], Tag(KEYS)],
        Discriminator(_tag_of_changing),
    ]
    return Annotated[
        Annotated[changing, Tag("in all octaves")] | Annotated[Each[number], Tag(EACH)],
        Discriminator(lambda value: EACH if _has("each", value) else "in all octaves"),
    ]


def is_schedule(value: Any) -> TypeGuard[Ramp[Any] | Keys[Any] | Each[Any]]:
    """Whether a validated parameter is a schedule."""
    return isinstance(value, (Ramp, Keys, Each))


def _has(key: str, value: Any) -> bool:
    """Whether a mapping, or a schedule made from one, has a key."""
    return key in value if isinstance(value, dict) else is_schedule(value) and hasattr(value, key)
