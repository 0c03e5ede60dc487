"""The section ``octaves`` of a run file: the sizes a dream goes through, and the steps at each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf, prod
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Discriminator, Field, Tag, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from kerasdream.config.strict import StrictModel

COUNT, SCALE, STEPS = 5, 1.5, 20
"""Defaults for the number of octaves, for the factor from each to the next, and for the steps in each."""

SMALL_STEPS = 120
"""Default for the steps in all of a picture so small that it has fewer octaves. With the 100 of five octaves, photos of
451×300 and 200×150 pixels gain a little less than larger ones do."""

MOST = 30
"""Maximum number of octaves."""

One = TypeVar("One")
Item = TypeVar("Item")
OneOrMany = Annotated[
    Annotated[One, Tag("one")] | Annotated[list[Item], Tag("many"), Field(min_length=1, max_length=MOST)],
    Discriminator(lambda value: "many" if isinstance(value, (list, tuple)) else "one"),
]
Side = Annotated[int, Field(ge=16, le=65_536)]
Factor = Annotated[float, Field(ge=1, le=10)]
Steps = Annotated[int, Field(ge=1, le=100_000)]


class Octaves(StrictModel):
    """The sizes the dream goes through, coarse to fine."""

    # Each validator sees the fields above its own, so the order of the fields matters.
    sizes: Annotated[list[tuple[Side, Side]], Field(min_length=1, max_length=MOST)] | None = Field(
        default=None,
        description="Height and width of each octave, coarse to fine, instead of count, scale, finest and max_side.",
    )
    scale: OneOrMany[Factor, Factor] | None = Field(
        default=None,
        validate_default=True,
        description=f"Factor from each octave to the next, or a list of factors, coarse to fine; by default {SCALE}.",
    )
    finest: Annotated[float, Field(gt=0, le=4)] = Field(
        default=1.0,
        description="Size of the last octave relative to the picture; the dream is resized to the picture at the end.",
    )
    max_side: Side | None = Field(
        default=None,
        description="Longer side of the last octave in pixels, at most; the dream is then resized to the picture: it "
        "looks the same, and takes the same time, for photos of any size.",
    )
    steps: OneOrMany[Steps | Literal["auto"], Steps] = Field(
        default="auto",
        description=f"Steps in each octave, or a list with a number for each, coarse to fine; auto: {STEPS}, and more "
        f"if a small picture has fewer than {COUNT} octaves: {SMALL_STEPS} in all.",
    )
    count: Annotated[int, Field(ge=1, le=MOST)] | Literal["auto"] = Field(
        default="auto",
        validate_default=True,
        description=f"Number of octaves; auto: the length of the lists, or {COUNT} without those whose shorter side "
        "is under half the side of the pictures that the network was trained on.",
    )
    detail: bool = Field(
        default=True, description="Carry the dreamed detail over to the source photo, rather than the resized dream."
    )
    max_score: float | None = Field(default=None, description="Leave an octave when its score exceeds this.")
    plateau: Annotated[int, Field(ge=1)] | None = Field(
        default=None, description="Leave an octave when its best score has not risen for this many steps."
    )
    plateau_gain: Annotated[float, Field(ge=0)] = Field(
        default=0.001, description="Minimum rise within that many steps, relative to the best score before."
    )

    @field_validator("scale")
    @classmethod
    def _scale(cls, scale: Any, info: ValidationInfo) -> Any:
        if info.data.get("sizes") is None:
            return SCALE if scale is None else scale
        if scale is not None:
            raise PydanticCustomError("octaves", _SIZES_SUFFICE)
        return None

    @field_validator("finest")
    @classmethod
    def _finest(cls, finest: float, info: ValidationInfo) -> float:
        if finest != 1 and info.data.get("sizes") is not None:
            raise PydanticCustomError("octaves", _SIZES_SUFFICE)
        return finest

    @field_validator("max_side")
    @classmethod
    def _max_side(cls, max_side: int | None, info: ValidationInfo) -> int | None:
        if max_side is not None and info.data.get("sizes") is not None:
            raise PydanticCustomError("octaves", _SIZES_SUFFICE)
        return max_side

    @field_validator("steps")
    @classmethod
    def _steps(cls, steps: Any, info: ValidationInfo) -> Any:
        for name, count in _counts(info.data).items():
            if isinstance(steps, list) and len(steps) != count:
                raise PydanticCustomError(
                    "octaves",
                    "a number for each of the {count} octaves that {name} gives",
                    {"count": count, "name": name},
                )
        return steps

    @field_validator("count")
    @classmethod
    def _count(cls, count: Any, info: ValidationInfo) -> Any:
        counts = _counts(info.data)
        for name, number in counts.items():
            if count not in ("auto", number):
                raise PydanticCustomError(
                    "octaves", "{number}, to match {name}, or no value", {"number": number, "name": name}
                )
        return next(iter(counts.values()), count)

    def of(self, picture: tuple[int, int], side: int) -> list[tuple[tuple[int, int], int]]:
        """Return the (height, width) of each octave of a picture, and its steps, coarse to fine.

        Where their number is automatic, octaves are left out in which a shape that the network draws would cover most
        of the picture, and more steps are taken in the others.

        Args:
            picture: its (height, width).
            side: of the pictures that the network was trained on, in pixels.
        """
        shapes = self._shapes(picture)
        if self.count == "auto":
            shapes = [shape for shape in shapes[:-1] if 2 * min(shape) >= side] + shapes[-1:]
        steps: Any = self.steps
        if steps == "auto":
            steps = SMALL_STEPS // len(shapes) if len(shapes) < self.number else STEPS
        return list(zip(shapes, steps if isinstance(steps, list) else [steps] * len(shapes), strict=True))

    def _shapes(self, picture: tuple[int, int]) -> list[tuple[int, int]]:
        """Return the (height, width) of ``number`` octaves, coarse to fine."""
        if self.sizes is not None:
            return list(self.sizes)
        count = self.number
        factors: list[Any] = self.scale if isinstance(self.scale, list) else [self.scale] * (count - 1)
        finest = min(self.finest, (self.max_side or inf) / max(picture))
        shares = [prod(factors[i:]) / finest for i in range(count)]
        return [(max(1, round(picture[0] / share)), max(1, round(picture[1] / share))) for share in shares]

    @property
    def number(self) -> int:
        """Number of octaves of a large picture."""
        return COUNT if self.count == "auto" else self.count

    def is_over(self, scores: Sequence[float]) -> bool:
        """Whether an octave ends after steps with these scores, even if more are planned."""
        if self.max_score is not None and scores[-1] > self.max_score:
            return True
        if self.plateau is None or len(scores) <= self.plateau:
            return False
        before, lately = max(scores[: -self.plateau]), max(scores[-self.plateau :])
        return lately <= before + self.plateau_gain * abs(before)


_SIZES_SUFFICE: Final = "no value when sizes is given"


def _counts(data: Mapping[str, Any]) -> dict[str, int]:
    """Return the number of octaves that each of the lists among validated fields implies."""
    more = {"sizes": 0, "scale": 1, "steps": 0}
    return {name: len(data[name]) + more[name] for name in more if isinstance(data.get(name), list)}
