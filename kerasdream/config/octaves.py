"""The section ``octaves`` of a run file: the sizes a dream goes through, how long it stays at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

COUNT, SCALE = 5, 1.5
"""How many octaves there are, and the factor from each to the next, where a run file does not say."""

MOST = 30
"""Octaves at most."""

Item = TypeVar("Item")
OneOrMany = Annotated[
    Annotated[Item, Tag("one")] | Annotated[list[Item], Tag("many"), Field(min_length=1, max_length=MOST)],
    Discriminator(lambda value: "many" if isinstance(value, (list, tuple)) else "one"),
]
Side = Annotated[int, Field(ge=16)]


class Octaves(BaseModel):
    """The sizes the dream goes through, coarse to fine."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)

    # Each field is checked against those before it.
    sizes: Annotated[list[tuple[Side, Side]], Field(min_length=1, max_length=MOST)] | None = Field(
        None, description="Height and width of each octave, coarse to fine, instead of count, scale and finest."
    )
    scale: OneOrMany[Annotated[float, Field(ge=1, le=10)]] | None = Field(
        None,
        validate_default=True,
        description=f"Factor from each octave to the next, or a list of them, coarse to fine; by default {SCALE}.",
    )
    finest: Annotated[float, Field(gt=0, le=4)] = Field(
        1.0, description="Size of the last octave, relative to the picture, to whose size the dream is then brought."
    )
    steps: OneOrMany[Annotated[int, Field(ge=1)]] = Field(
        20, description="Steps in each octave, or a list with a number for each, coarse to fine."
    )
    count: Annotated[int, Field(ge=1, le=MOST)] | None = Field(
        None, validate_default=True, description=f"How many octaves; by default as many as the lists say, or {COUNT}."
    )
    detail: bool = Field(
        True, description="Carry the dreamed detail over the source photo, rather than the resized dream."
    )
    max_score: float | None = Field(None, description="An octave is left when its score has passed this.")
    plateau: Annotated[int, Field(ge=1)] | None = Field(
        None, description="An octave is left when its best score has not risen for so many steps."
    )
    plateau_gain: Annotated[float, Field(ge=0)] = Field(
        0.001, description="How much it must rise in that many steps, relative to what it was."
    )

    @field_validator("scale")
    @classmethod
    def _scale(cls, scale: Any, info: ValidationInfo) -> Any:
        if info.data.get("sizes") is None:
            return SCALE if scale is None else scale
        if scale is not None:
            raise PydanticCustomError("octaves", "nothing beside sizes, which say it all")
        return None

    @field_validator("finest")
    @classmethod
    def _finest(cls, finest: float, info: ValidationInfo) -> float:
        if finest != 1 and info.data.get("sizes") is not None:
            raise PydanticCustomError("octaves", "nothing beside sizes, which say it all")
        return finest

    @field_validator("steps")
    @classmethod
    def _steps(cls, steps: Any, info: ValidationInfo) -> Any:
        for name, count in _counts(info.data).items():
            if isinstance(steps, list) and len(steps) != count:
                text = f"a number for each octave, of which {name} gives {count}"
                raise PydanticCustomError("octaves", text)  # type: ignore[arg-type]
        return steps

    @field_validator("count")
    @classmethod
    def _count(cls, count: int | None, info: ValidationInfo) -> int:
        said = _counts(info.data)
        for name, number in said.items():
            if count not in (None, number):
                text = f"{number}, as {name} says, or nothing"
                raise PydanticCustomError("octaves", text)  # type: ignore[arg-type]
        return count or next(iter(said.values()), COUNT)

    def shapes(self, picture: tuple[int, int]) -> list[tuple[int, int]]:
        """Returns the (height, width) of each octave of a picture of this (height, width), coarse to fine."""
        if self.sizes is not None:
            return list(self.sizes)
        factors = self.scale if isinstance(self.scale, list) else [self.scale] * (self.count - 1)
        shares = [prod(factors[i:]) / self.finest for i in range(self.count)]
        return [(max(1, round(picture[0] / share)), max(1, round(picture[1] / share))) for share in shares]

    @property
    def each_steps(self) -> tuple[int, ...]:
        """The steps of each octave, coarse to fine."""
        return tuple(self.steps) if isinstance(self.steps, list) else (self.steps,) * self.count

    def is_over(self, scores: Sequence[float]) -> bool:
        """Whether an octave is left after steps with these scores, even if more are planned."""
        if self.max_score is not None and scores[-1] > self.max_score:
            return True
        if self.plateau is None or len(scores) <= self.plateau:
            return False
        before, lately = max(scores[: -self.plateau]), max(scores[-self.plateau :])
        return lately <= before + self.plateau_gain * abs(before)


def _counts(data: Mapping[str, Any]) -> dict[str, int]:
    """How many octaves each of the lists among validated fields makes."""
    more = {"sizes": 0, "scale": 1, "steps": 0}
    return {name: len(data[name]) + more[name] for name in more if isinstance(data.get(name), list)}
