"""The tiled gradient step as an object: score and gradient of a picture of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from kerasdream import images
from kerasdream.components import Energy, Network, Objective, Tokens, Transform, from_range
from kerasdream.dreaming.grey import brightness_only
from kerasdream.dreaming.parts import Companions, Parts, extractor_for, guide_pictures
from kerasdream.engine.score import Score
from kerasdream.engine.tensorflow import Engine
from kerasdream.errors import ImageError, MemoryRanOutError, ModelError
from kerasdream.models.backend import check_model, require_tensorflow
from kerasdream.models.extractor import geometry_of
from kerasdream.models.scaling import BOTH, scaling_for
from kerasdream.models.settings import usual_settings
from kerasdream.plan.crops import Windows, around
from kerasdream.plan.cutting import cutting_for
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.plan import Plan, transform_seed
from kerasdream.plan.tile_size import tile_side
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress, is_schedule

if TYPE_CHECKING:
    import keras

    from kerasdream.dreaming.parts import Source
    from kerasdream.models.extractor import Extractor
    from kerasdream.plan.tiling import Cutting

PULL = 0.1
"""How hard an energy of weight 1 pulls, as a share of the objectives' gradient: ``total_variation`` then takes grain
out and leaves the dream in, and a weight of 10 holds its own against the objectives."""


NUDGE = 0.01
"""Spread of the noise on a picture at which a relative objective's pull is measured: one that compares with the photo
may have no slope at the photo itself."""


class Evaluation(NamedTuple):
    """Score and gradient at a picture.

    Attributes:
        score: the weighted sum of all parts.
        gradient: of that sum, ``(height, width, 3)`` float32 array or tensor.
        scores: each part's mean over the picture, by label, unweighted; of relative terms, in their unit.
        magnitude: the mean of ``|gradient|``; not finite if any of the gradient is not.
        window: the rows and columns that were evaluated; None: all.
        attribution: how strongly the objectives alone pull at each pixel, ``(height, width)`` float32: the sum of
            ``|gradient|`` over the colours, multiplied by the number of pixels, so that it does not depend on the
            picture's size. None unless the step is ``attributed``.
    """

    score: float
    gradient: Any
    scores: Mapping[str, float]
    magnitude: float
    window: tuple[slice, slice] | None = None
    attribution: np.ndarray | None = None


class GradientStep:
    """Score and gradient of a picture with respect to its pixels, computed tile by tile with one ``tf.function`` trace.

    Args:
        model: a Keras model (with ``input_range`` or ``preprocess``) or a ``kerasdream.Network``. It is not changed.
        objectives: what to maximise: an ``Objective`` or several, which are added.
        priors: energies, ``log p(picture)``, added to the objectives.
        transforms: random changes to what the network sees.
        input_range: the pixel values the model was trained on, ``(0, 255)`` for example.
        preprocess: instead of ``input_range``: ``keras.ops`` function from ``(n, h, w, 3)`` in [-1, 1] to the model's
            input.
        inputs, channels, head, tokens: for a Keras model; see ``kerasdream.Network``.
        tile: a view has at most ``tile²`` pixels; ``"auto"``: as many as ``memory`` allows (``plan.tile_size``).
        halo: pixels of context around each tile; ``"auto"``; ``"exact"``: see ``kerasdream.plan.cutting.cutting_for``.
        batch: views that go through the network at once; None: by their size.
        memory: bytes for the views under way, if ``tile`` is ``"auto"``; None: a share of this machine's.
        precision: ``"float32"``, or ``"mixed"``: the network computes in bfloat16, the picture stays float32.
        jit: whether XLA compiles the step.
        crops: random windows of the picture that the network sees in each step, instead of tiles; they also suit a
            network with a fixed input size.
        seed: of the random cuts and transforms.
        attributed: whether each ``Evaluation`` has an ``attribution``.
        cutting: how pictures are cut, instead of ``tile``, ``halo`` and ``memory``.
        extractor: the network rebuilt for these objectives, if that has been done (``extractor_for``).

    Raises:
        ModelError: the model cannot be traced, has no such layer, or its input range is not given.
        ConfigError: no objective is given, a prior is a projection, or the requested halo is impossible.

    >>> step = GradientStep(model, Objective("mixed5", lambda a: a["mixed5"][..., 7]), input_range=(-1, 1))
    >>> score, gradient = step(picture)
    >>> picture += 0.01 * gradient / abs(gradient).mean()
    """

    @usual_settings()
    def __init__(
        self,
        model: keras.Model | Network,
        objectives: Objective | Sequence[Objective] | Sequence[PartSpec],
        priors: Sequence[Energy] | Sequence[PartSpec] = (),
        transforms: Sequence[Transform] | Sequence[PartSpec] = (),
        *,
        input_range: tuple[float, float] | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        inputs: Mapping[str, Any] | None = None,
        channels: Sequence[int] | None = None,
        head: str | None = None,
        tokens: Tokens | Mapping[str, Any] | None = None,
        tile: int | str = "auto",
        halo: int | Literal["auto", "exact"] = "auto",
        batch: int | None = None,
        memory: int | None = None,
        precision: Literal["float32", "mixed"] = "float32",
        jit: bool = False,
        crops: Windows | None = None,
        seed: int = 0,
        attributed: bool = False,
        cutting: Cutting | None = None,
        extractor: Extractor | None = None,
    ) -> None:
        network = as_network(model, input_range, preprocess, inputs=inputs, channels=channels, head=head, tokens=tokens)
        parts = Parts.from_specs([objectives] if isinstance(objectives, Objective) else objectives, priors, transforms)
        if extractor is None:
            extractor = extractor_for(network, parts, precision=precision, crops=crops)
        if cutting is None:
            size = tile_side(network.name, memory) if tile == "auto" else int(tile)
            cutting = cutting_for(geometry_of(extractor), size, halo, parts.border)
        guides = guide_pictures(parts, network, crops)
        score = Score(extractor, network.preprocess, parts.objectives, parts.energies, parts.transforms, guides)
        self.engine = Engine(
            score, batch=batch, jit=jit, sourced=parts.sourced, masks=len(parts.masks), attributed=attributed
        )
        self.parts, self.cutting, self.crops, self.seed = parts, cutting, crops, seed
        self._units: dict[tuple[int, int], tuple[float, ...]] = {}
        self._photo: images.Scaled | None = None
        self._companions: Companions | None = None

    def __call__(
        self,
        picture: np.ndarray,
        *,
        step: int = 0,
        source: np.ndarray | None = None,
        panels: tuple[int, int] = SINGLE,
    ) -> tuple[float, np.ndarray]:
        """Evaluate a picture.

        The units of weights are measured at the first picture of each shape, and kept for the later ones, so that all
        steps climb the same score. Where the objectives have no slope, they are 1.

        Args:
            picture: ``(height, width, 3)`` float32 RGB in [-1, 1].
            step: number of the step; each has its own random cuts and transforms.
            source: the photo the picture came from, for parts that compare with it; it is resized to the picture.
            panels: rows and columns of equally large pictures that make up the picture.

        Returns:
            The weighted score (a mean over the picture) and its gradient, shaped like the picture.
        """
        picture = np.asarray(picture)
        if picture.ndim != 3 or picture.shape[2] != 3 or not np.issubdtype(picture.dtype, np.floating):
            raise ImageError(
                f"a {picture.dtype} array of shape {picture.shape} is not a picture; expected floats in [-1, 1], "
                "(height, width, 3)"
            )
        picture, progress = np.asarray(picture, "float32"), Progress(step=step, run_step=step)
        if source is None:
            self._photo = None
        elif self._photo is None or self._photo.source is not source:  # else reuse the resized source and masks
            self._photo = images.Scaled(source)
        while True:
            plan = Plan((picture.shape[:2],), (1,), self.cutting, self.seed, crops=self.crops, panels=Panels(*panels))
            try:
                factors = self.parts.factors(self._units_at(picture, plan, progress))
                found = self.evaluate(picture, plan, progress, self._photo, factors=factors)
                return found.score, np.asarray(found.gradient)
            except MemoryRanOutError:
                self.cutting = plan.smaller().cutting

    @usual_settings()
    def evaluate(
        self,
        picture: Any,
        plan: Plan,
        progress: Progress,
        source: Source | None = None,
        *,
        factors: Sequence[float] | None = None,
    ) -> Evaluation:
        """Evaluate one step of a plan on a picture, array or tensor.

        Args:
            source: the photo the picture came from, for parts that compare with it.
            factors: one for each term of the score, see ``Parts.factors``; None: 1.

        Raises:
            ConfigError: a part compares with the source, but none was given.
            MemoryRanOutError: there is not enough memory for the plan's views.
        """
        place, cutting = (progress.octave, progress.step), plan.cutting
        present = [part.spec.values_at(progress) for part in self.parts.all]
        values = [value for numbers in present for value in numbers.values()]
        values += [] if factors is None else list(factors)
        seed = transform_seed(plan.seed, *place)
        companions = self._companions_at(picture.shape[:2], source, plan.panels)
        window = None
        if plan.crops:
            side = plan.crops.side
            boxes = plan.boxes(*place, side.value_at(progress) if is_schedule(side) else side)
            found = self.engine.crops(
                picture, boxes, plan.crops.size, values, seed, companions=companions, panels=plan.panels
            )
            window = around(boxes) if plan.panels == SINGLE else None
        else:
            found = self.engine.gradient(
                picture,
                plan.grid(*place),
                values,
                seed,
                companions=companions,
                pixels=cutting.size**2,
                whole=cutting.whole or self.parts.pointed,
                roll=plan.roll(*place),
                panels=plan.panels,
            )
        means = {part.label: float(mean) for part, mean in zip(self.parts.scored, found.means, strict=True)}
        score = sum(weight * mean for weight, mean in zip(self.weights(progress, factors), means.values(), strict=True))
        gradient = brightness_only(found.gradient) if self.grey else found.gradient
        pulls = None if found.attribution is None else found.attribution * np.float32(np.prod(picture.shape[:2]))
        return Evaluation(score, gradient, means, found.magnitude, window, pulls)

    @property
    def grey(self) -> bool:
        """Whether the network sees the picture's brightness only; then the gradient changes nothing else."""
        return self.engine.score.extractor.grey

    def units(self, picture: Any, plan: Plan, progress: Progress, source: Source | None = None) -> tuple[float, ...]:
        """Return the unit of the energies' weights, then that of each relative term.

        The energies' is ``PULL`` times the mean ``|gradient|`` of the objectives alone. The gradient is that of a
        density, multiplied by the number of values, so that it does not depend on the picture's size; with crops the
        mean is over the part of the picture that they cover. A relative term's is Σ|gradient| of the other objectives
        over its own at weight 1, a ``NUDGE`` away. One evaluation for each, with the cuts and the transforms of that
        step. 1 if no energy has ``scale: gradient``.
        """
        if not self.parts.in_proportion and not self.parts.relative:
            return (1.0,)
        found = self.evaluate(picture, plan, progress, source, factors=self.parts.alone())
        size = found.magnitude if found.window is None else np.abs(np.asarray(found.gradient)[found.window]).mean()
        unit = PULL * float(size) * np.prod(picture.shape).item() if self.parts.in_proportion else 1.0
        if not self.parts.relative:
            return (unit,)
        random = np.random.default_rng([plan.seed, progress.octave])
        near = np.asarray(picture) + np.float32(NUDGE) * random.standard_normal(picture.shape, "float32")
        pulls = [self._pull(number, near, plan, progress, source) for number in self.parts.relative]
        return (unit, *(found.magnitude / pull if pull else 0.0 for pull in pulls))

    def _pull(self, number: int, picture: Any, plan: Plan, progress: Progress, source: Source | None) -> float:
        """Return the mean ``|gradient|`` of a relative term alone at weight 1; 0 if the octave's weights are 0."""
        for at in (progress, replace(progress, step=progress.steps - 1)):
            if weight := self.parts.weight_of(number, at):
                alone = self.parts.alone(number, 1 / weight)
                return self.evaluate(picture, plan, at, source, factors=alone).magnitude
        return 0.0

    def weights(self, progress: Progress, factors: Sequence[float] | None = None) -> list[float]:
        """Return the current weights of objectives and energies, the latter multiplied by their factors."""
        weights = [part.weight(part.spec.values_at(progress)) for part in self.parts.scored]
        own = [1.0] * len(self.parts.energies) if factors is None else factors[len(self.parts.terms) :]
        return [w * f for w, f in zip(weights, [*[1.0] * len(self.parts.objectives), *own], strict=True)]

    def refresh(self) -> None:
        """Copy the weights of a model that is being trained. Units are measured anew; guides stay as seen at first."""
        self._units.clear()
        self.engine.score.extractor.refresh()

    def is_dead(self, scores: Mapping[str, float]) -> bool:
        """Whether every ordinary objective is exactly zero: the selected units do not respond; the rest has a slope."""
        ordinary = (part for part in self.parts.objectives if not all(term.relative for term in part.made.terms))
        return not any(scores[part.label] for part in ordinary)

    def origin(self, label: str) -> str:
        """Return where the part with this label comes from: its plugin, the file and line of its factory."""
        return next(part.spec.origin for part in self.parts.scored if part.label == label)

    def _units_at(self, picture: np.ndarray, plan: Plan, progress: Progress) -> tuple[float, ...]:
        """Return the units of the weights for pictures of this shape, measured at the first one."""
        shape = picture.shape[:2]
        if shape not in self._units:
            self._units[shape] = tuple(unit or 1.0 for unit in self.units(picture, plan, progress, self._photo))
        return self._units[shape]

    def _companions_at(self, shape: tuple[int, int], source: Source | None, panels: Panels) -> np.ndarray | None:
        """Return source and masks at the size of the picture, if there are any; kept for the next step."""
        if not self.parts.sourced and not self.parts.masks:
            return None
        if self._companions is None or not self._companions.fit(shape, source, panels):
            self._companions = None  # free the old ones before making the new
            self._companions = Companions.of(self.parts, shape, source, panels)
        return self._companions.array


def as_network(
    model: keras.Model | Network,
    input_range: tuple[float, float] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    *,
    inputs: Mapping[str, Any] | None = None,
    channels: Sequence[int] | None = None,
    head: str | None = None,
    tokens: Tokens | Mapping[str, Any] | None = None,
) -> Network:
    """Return a Keras model as a ``Network``, or a ``Network`` with what is given replaced.

    Raises:
        ModelError: neither ``input_range`` nor ``preprocess`` is given, and the model's first layers do not tell; or
            both are given.
        TypeError: it is neither.
    """
    require_tensorflow()
    check_model(model)
    tokens = Tokens(**tokens) if isinstance(tokens, Mapping) else tokens
    given = {"inputs": inputs, "channels": channels, "head": head, "tokens": tokens}
    more: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    name = getattr(model, "name", "model")
    if preprocess is not None and input_range is not None:
        raise ModelError(BOTH.format(name))
    if isinstance(model, Network):
        how = from_range(*input_range) if input_range else preprocess
        more |= {"preprocess": how} if how else {}
        return replace(model, **more) if more else model
    if preprocess is not None:
        return Network(name, model, preprocess, **more)
    try:
        preprocess, notes = scaling_for(name, model, input_range, None)
    except ModelError:
        raise ModelError(
            f"what pixel values does the model {name!r} expect? Give input_range=(0, 255) if it rescales them itself, "
            "(-1, 1) or (0, 1) if it was trained on such values, or preprocess=a function from [-1, 1] to its input"
        ) from None
    return Network(name, model, preprocess, notes=notes, **more)
