"""The tiled gradient step as an object: score and gradient of a picture of any size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from kerasdream import images
from kerasdream.components import LOGITS, Energy, Network, Objective, Projection, Transform, from_range
from kerasdream.errors import ConfigError, ImageError, MemoryRanOutError, ModelError, did_you_mean
from kerasdream.plan.crops import Windows, around
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.plan import Plan, cutting_for, transform_seed
from kerasdream.plan.tile_size import tile_side
from kerasdream.plan.tiling import joint
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress, is_schedule

if TYPE_CHECKING:
    import keras
    import numpy as np


class Evaluation(NamedTuple):
    """A picture's score and which way is up.

    Attributes:
        score: the weighted sum of all parts.
        gradient: of that sum, ``(height, width, 3)`` float32 array or tensor.
        scores: each part's mean over the picture, by label, unweighted.
        magnitude: the mean of ``|gradient|``; not finite where any of it is not.
        window: the rows and columns that were looked at; None: all.
    """

    score: float
    gradient: Any
    scores: Mapping[str, float]
    magnitude: float
    window: tuple[slice, slice] | None = None


class GradientStep:
    """Score and gradient of a picture with respect to its pixels, computed tile by tile with one ``tf.function`` trace.

    Args:
        model: a Keras model (with ``input_range`` or ``preprocess``) or a ``kerasdream.Network``. It is not changed.
        objectives: what is made larger: an ``Objective`` or several, which are added.
        priors: energies, ``log p(picture)``, added to the objectives.
        transforms: random changes to what the network sees.
        input_range: the pixel values the model was trained on, ``(0, 255)`` for example.
        preprocess: instead of ``input_range``: ``keras.ops`` function from ``(n, h, w, 3)`` in [-1, 1] to the model's
            input.
        tile: a view has at most ``tile²`` pixels; ``"auto"``: as many as ``memory`` allows (``plan.tile_size``).
        halo: pixels of context around each tile; ``"auto"``; ``"exact"``: see ``kerasdream.plan.plan.cutting_for``.
        batch: views that go through the network at once; None: by their size.
        memory: bytes for the views under way, where ``tile`` is ``"auto"``; None: a share of this machine's.
        precision: ``"float32"``, or ``"mixed"``: the network computes in bfloat16, the picture stays float32.
        jit: whether XLA compiles the step.
        crops: random windows of the picture that the network looks at in each step, in place of tiles; they suit a
            network of a fixed input size, too.
        seed: of the random cuts and transforms.

    Raises:
        ModelError: the model cannot be traced, has no such layer, or its input range is not given.
        ConfigError: there is no objective, or the halo asked for is impossible.

    >>> step = GradientStep(model, Objective("mixed5", lambda a: a["mixed5"][..., 7]), input_range=(-1, 1))
    >>> score, gradient = step(picture)
    >>> picture += 0.01 * gradient / abs(gradient).mean()
    """

    def __init__(
        self,
        model: keras.Model | Network,
        objectives: Objective | Sequence[Objective] | Sequence[PartSpec],
        priors: Sequence[Energy] | Sequence[PartSpec] = (),
        transforms: Sequence[Transform] | Sequence[PartSpec] = (),
        *,
        input_range: tuple[float, float] | None = None,
        preprocess: Callable[[Any], Any] | None = None,
        tile: int | str = "auto",
        halo: int | Literal["auto", "exact"] = "auto",
        batch: int | None = None,
        memory: int | None = None,
        precision: Literal["float32", "mixed"] = "float32",
        jit: bool = False,
        crops: Windows | None = None,
        seed: int = 0,
    ) -> None:
        from kerasdream.engine.score import Part, Score
        from kerasdream.engine.tensorflow import Engine
        from kerasdream.models.extractor import build_extractor
        from kerasdream.models.geometry import lattice_of
        from kerasdream.models.graph import layer_names

        network = as_network(model, input_range, preprocess)
        objectives = [objectives] if isinstance(objectives, Objective) else objectives
        entries = [
            _entries(kind, parts)
            for kind, parts in (("objectives", objectives), ("priors", priors), ("transforms", transforms))
        ]
        if not entries[0]:
            raise ConfigError("there is no objective; expected at least one")
        made = [[entry.make() for entry in group] for group in entries]
        known = list(layer_names(network.model, network.aliases))
        for entry, objective in zip(entries[0], made[0], strict=True):
            for layer in objective.layers:
                if layer not in (*known, LOGITS):
                    near = did_you_mean(layer, known)
                    raise ModelError(f"{entry.origin} looks at {layer!r}; {network.name} has no such layer; {near}")
        layers = list(dict.fromkeys(layer for objective in made[0] for layer in objective.layers))
        side = crops.size if crops and network.model.inputs[0].shape[1] else None  # it takes no other pictures
        extractor = build_extractor(network.model, layers, aliases=network.aliases, precision=precision, side=side)
        self.labels = _labels(entries[0], made[0], entries[1])
        self._weights = [entry.weight for entry in (*entries[0], *entries[1])]
        self._entries = [entry for group in entries for entry in group]
        names = [*self.labels, *(f"transform {i} {e.name}" for i, e in enumerate(entries[2]))]
        self._masks = list(dict.fromkeys(entry.mask for entry in self._entries if entry.mask))
        parts = [
            Part(name, tuple(e.schedules), e.make, e.weight, self._masks.index(e.mask) if e.mask else None)
            for name, e in zip(names, self._entries, strict=True)
        ]
        terms = [term for objective in made[0] for term in objective.terms]
        references = {term.reference for term in terms} | {energy.reference for energy in made[1]}
        self.sourced = "source" in references
        first, second = len(entries[0]), len(entries[0]) + len(entries[1])
        score = Score(extractor, network.preprocess, parts[:first], parts[first:second], parts[second:])
        score.guides = {
            path: score.activations(_guide(path, network.side, side)[None]) for path in references - {None, "source"}
        }
        self.engine = Engine(score, batch=batch, jit=jit, sourced=self.sourced, masks=len(self._masks))
        self._points = any(term.at is not None for term in terms)
        self._kept: tuple[Any, Any, Any] = None, None, None
        pairs = list(extractor.geometry.values())
        local = all(axis.local for pair in pairs for axis in pair)
        self.cutting = cutting_for(
            joint([lattice_of(pair) for pair in pairs]),
            max(axis.field for pair in pairs for axis in pair) if local else None,
            tile_side(network.name, memory) if tile == "auto" else int(tile),
            halo,
            margin=sum(transform.margin for transform in made[2]),
            radius=max((energy.radius for energy in made[1]), default=0),
            jitter=sum(transform.phase for transform in made[2]),
            wrap=any(transform.wrap for transform in made[2]),
        )
        self.crops, self.seed = crops, seed

    def __call__(
        self,
        picture: np.ndarray,
        *,
        step: int = 0,
        source: np.ndarray | None = None,
        panels: tuple[int, int] = SINGLE,
    ) -> tuple[float, np.ndarray]:
        """Evaluates a picture.

        Args:
            picture: ``(height, width, 3)`` float32 RGB in [-1, 1].
            step: number of the step; each has its own random cuts and transforms.
            source: the photo that it came from, for parts that compare with it; it is resized to the picture.
            panels: rows and columns of pictures, all of one size, that lie on it side by side.

        Returns:
            The weighted score (a mean over the picture) and its gradient, shaped like the picture.
        """
        import numpy as np

        picture = np.asarray(picture)
        if picture.ndim != 3 or picture.shape[2] != 3 or not np.issubdtype(picture.dtype, np.floating):
            raise ImageError(
                f"a {picture.dtype} array of shape {picture.shape} is no picture; expected floats in [-1, 1], "
                "(height, width, 3)"
            )
        picture, progress = np.asarray(picture, "float32"), Progress(step=step, run_step=step)
        photo = self._kept[1]  # that of the call before, with what lies beside it
        if source is None or photo is None or photo.source is not source:
            photo = None if source is None else images.Scaled(source)
        while True:
            plan = Plan((picture.shape[:2],), (1,), self.cutting, self.seed, crops=self.crops, panels=Panels(*panels))
            try:
                slope = self.evaluate(picture, plan, progress, photo)
                return slope.score, np.asarray(slope.gradient)
            except MemoryRanOutError:
                self.cutting = plan.smaller().cutting

    def evaluate(self, picture: Any, plan: Plan, progress: Progress, source: images.Scaled | None = None) -> Evaluation:
        """Evaluates one step of a plan on a picture, array or tensor.

        Args:
            source: the photo that it came from, for parts that compare with it.

        Raises:
            ConfigError: a part compares with the source, and there is none.
            MemoryRanOutError: there is not enough memory for the plan's views.
        """
        place, cutting = (progress.octave, progress.step), plan.cutting
        present = [entry.values_at(progress) for entry in self._entries]
        values = [value for numbers in present for value in numbers.values()]
        seed, beside = transform_seed(plan.seed, *place), self._beside(picture.shape[:2], source, plan.panels)
        if plan.crops:
            side = plan.crops.side
            boxes = plan.boxes(*place, side.value_at(progress) if is_schedule(side) else side)
            found = self.engine.crops(picture, boxes, plan.crops.size, values, seed, beside=beside)
            window = around(boxes)
        else:
            found = self.engine.gradient(
                picture,
                plan.grid(*place),
                values,
                seed,
                beside=beside,
                pixels=cutting.size**2,
                whole=cutting.whole or self._points,
                roll=plan.roll(*place),
                panels=plan.panels,
            )
            window = None
        gradient, means, magnitude = found
        weights = [numbers.get("weight", weight) for numbers, weight in zip(present, self._weights, strict=False)]
        score = sum(weight * float(mean) for weight, mean in zip(weights, means, strict=True))
        return Evaluation(score, gradient, dict(zip(self.labels, map(float, means), strict=True)), magnitude, window)

    def _beside(self, shape: tuple[int, int], source: images.Scaled | None, panels: Panels) -> np.ndarray | None:
        """The source and the masks at the size of the picture, one behind the other, kept for the next step."""
        import numpy as np

        if not self.sourced and not self._masks:
            return None
        if self.sourced and source is None:
            raise ConfigError("a part compares the picture with its source; expected the source too: source=photo")
        if self._kept[0] != shape or self._kept[1] is not source:
            layers = [source.resized(shape)] if self.sourced else []
            layers += [mask.on(panels, shape)[..., None] for mask in self._masks]
            self._kept = shape, source, np.concatenate(layers, axis=2)
        return self._kept[2]

    def is_dead(self, scores: Mapping[str, float]) -> bool:
        """Whether every objective is exactly zero: no unit that is asked for responds, so only priors have a slope."""
        return not any(scores[label] for label in self.labels[: len(self.engine.score.objectives)])

    def origin(self, label: str) -> str:
        """Whose the part with this label is: its plugin, the file and line of its factory."""
        return dict(zip(self.labels, self._entries, strict=False))[label].origin


def _guide(path: Path, longest: int, side: int | None) -> np.ndarray:
    """Reads a guide as float32: at most ``longest`` pixels long, or, where the network takes no other, a square."""
    picture = images.read(path, longest).stored
    return images.resize(picture, (side, side) if side else picture.shape[:2])


def as_network(
    model: keras.Model | Network,
    input_range: tuple[float, float] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
) -> Network:
    """Returns a Keras model as a ``Network``.

    Raises:
        ModelError: neither ``input_range`` nor ``preprocess`` is given: it is never guessed.
    """
    if isinstance(model, Network):
        return model
    if preprocess is None and input_range is None:
        raise ModelError(
            f"what pixel values does the model {getattr(model, 'name', model)!r} expect? Give input_range=(0, 255) if "
            "it rescales them itself, (-1, 1) or (0, 1) if that was done before, or preprocess=a function from [-1, 1]"
        )
    return Network(getattr(model, "name", "model"), model, preprocess or from_range(*input_range))


def _entries(kind: str, parts: Any) -> list[PartSpec]:
    entries = [part if isinstance(part, PartSpec) else PartSpec.of(kind, part) for part in parts]
    for entry in entries:
        if isinstance(entry.made, Projection):
            raise ConfigError("a projection changes the picture after the step; it is no part of the gradient step")
    return entries


def _labels(objectives: list[PartSpec], made: list[Objective], energies: list[PartSpec]) -> list[str]:
    """Names for scores: ``l2 mixed5``, ``total_variation``, numbered where they repeat."""
    names = [f"{e.name} {' '.join(o.layers)}" for e, o in zip(objectives, made, strict=True)]
    names += [e.name for e in energies]
    return [n if names.count(n) == 1 else f"{n} ({names[: i + 1].count(n)})" for i, n in enumerate(names)]
