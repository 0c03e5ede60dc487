"""The weighted sum of all parts, built inside the trace: from views of the picture to the differentiated number."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from kerasdream.components import Energy, Objective, Term, Transform
from kerasdream.errors import KerasdreamError, ModelError, PluginError
from kerasdream.plugins.spec import PartSpec

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.models.extractor import Extractor

Made = TypeVar("Made", Objective, Energy, Transform)


@dataclass(frozen=True)
class Part(Generic[Made]):
    """An objective, an energy or a transform of the step.

    Attributes:
        label: names the part in scores and messages; unique.
        spec: makes the part.
        made: the part as it is at the start of the run, for everything that does not depend on schedules.
        mask: the number of its mask, if it has one.
    """

    label: str
    spec: PartSpec
    made: Made
    mask: int | None = None

    def at(self, numbers: Mapping[str, Any]) -> Made:
        """Make the part for the current values, scalar tensors, of the parameters that change."""
        return self.spec.make({name: value for name, value in numbers.items() if name != "weight"})

    def weight(self, numbers: Mapping[str, Any]) -> Any:
        """Return the current weight: a number, or a tensor if it changes."""
        return numbers.get("weight", self.spec.weight)


class Views(NamedTuple):
    """Views of a picture, as tensors.

    Attributes:
        pixels: ``(n, h, w, 3)``.
        source: the same windows of the source photo; None if no part looks at it.
        masks: the same windows of the masks, ``(n, h, w, masks)``.
        cores: top, bottom, left, right of the part of each view that counts, ``(n, 4)``.
        origins: y and x in the picture of each view's first pixel, ``(n, 2)``.
        scales: height and width of a view's pixel, in pixels of the picture, ``(n, 2)``.
        shape: height and width of the picture, ``(2,)``.
        area: total number of pixels in all cores of the step.
        copies: how many views see the same place, or its like: 1 for tiles, all panels for tiles of panels, all crops.
    """

    pixels: Any
    source: Any
    masks: Any
    cores: Any
    origins: Any
    scales: Any
    shape: Any
    area: Any
    copies: Any


class ScoreSums(NamedTuple):
    """What the terms add up to on the views of one call.

    ``value`` is differentiated. For each term, in the order of ``Score.owners``, ``weights`` holds its factor within
    its part, and ``sums`` the sum and the count over the positions in cores, ``(terms, 2)``.
    """

    value: Any
    weights: list[Any]
    sums: list[Any]


class _TermScore(NamedTuple):
    """One term on the views of one call: its share of the score, and what is reported."""

    weight: Any
    factor: Any
    integral: Any
    sums: Any


class Score:
    """The parts of a step, and the network they look through.

    Args:
        extractor: the rebuilt network.
        preprocess: from a picture in [-1, 1] to the network's input.
        objectives, energies, transforms: the parts, in order.
        guides: pictures that objectives compare with, ``(height, width, 3)``, by path, of a file or a folder.

    Attributes:
        slots: the label and parameter of every number that changes, in the order in which they are passed in; a factor
            for each term follows them.
        owners: for each term of the score, the number of the part it belongs to (objectives, then energies).
    """

    def __init__(
        self,
        extractor: Extractor,
        preprocess: Callable[[Any], Any],
        objectives: Sequence[Part[Objective]],
        energies: Sequence[Part[Energy]] = (),
        transforms: Sequence[Part[Transform]] = (),
        guides: Mapping[Path, Sequence[np.ndarray]] | None = None,
    ) -> None:
        self.extractor, self.preprocess = extractor, preprocess
        self.objectives, self.energies, self.transforms = objectives, energies, transforms
        parts: list[Part[Any]] = [*objectives, *energies, *transforms]
        self.slots = [(part.label, name) for part in parts for name in part.spec.schedules]
        terms = [number for number, part in enumerate(objectives) for _ in part.made.terms]
        self.owners = [*terms, *range(len(objectives), len(objectives) + len(energies))]
        self._seen = [[self._of_guides(term, guides or {}) for term in part.made.terms] for part in objectives]

    def numbers(self, values: Any) -> dict[str, dict[str, Any]]:
        """Return the numbers that change by part and parameter, given them in the order of ``slots``."""
        numbers: dict[str, dict[str, Any]] = {}
        for i, (label, name) in enumerate(self.slots):
            numbers.setdefault(label, {})[name] = values[i]
        return numbers

    def activations(self, pixels: Any) -> dict[str, Any]:
        """Return the activations of the selected layers for pictures in [-1, 1], as float32.

        Raises:
            ModelError: a layer has as many channels as its input has values, because pictures may have any size.
        """
        import tensorflow as tf

        activations = self.extractor.model(self.preprocess(pixels), training=False)
        for layer, tensor in activations.items():
            tensor.set_shape(self.extractor.model.output[layer].shape)  # a trace forgets the size of crops
            if tensor.shape[-1] is None:
                raise ModelError(
                    f"the layer {layer!r} has no positions, and its number of values depends on the picture's size; "
                    "use crops of the network's own size, views: crops, or an earlier layer"
                )
        return {layer: tf.cast(tensor, tf.float32) for layer, tensor in activations.items()}

    def of_objectives(self, seen: Views, values: Any, seed: Any) -> ScoreSums:
        """Add up the objectives, evaluated on transformed views, each term multiplied by its factor."""
        import tensorflow as tf

        numbers, factors = self.numbers(values), iter(tf.unstack(values[len(self.slots) :], len(self.owners)))
        activations = self.activations(self._transformed(seen.pixels, numbers, seed))
        of_source = {} if seen.source is None else self.activations(self._transformed(seen.source, numbers, seed))

        def scores() -> Iterator[_TermScore]:
            for part, of_guides in zip(self.objectives, self._seen, strict=True):
                present = numbers.get(part.label, {})
                for term, of_guide in zip(part.at(present).terms, of_guides, strict=True):
                    tapped: list[Any] = [_tapped(activations, term)]
                    if term.reference is not None:
                        tapped.append(_tapped(of_source, term) if term.reference == "source" else of_guide)
                    density = _evaluate(part.label, partial(term.fn, *tapped), tapped[0])
                    strides = self._strides(part.label, term, density)
                    integral, sums = _integral(density, strides, seen, part.mask, term.at)
                    yield _TermScore(part.weight(present), next(factors) * term.weight, integral, sums)

        return _total(scores())

    def of_energies(self, seen: Views, values: Any) -> ScoreSums:
        """Add up the energies, evaluated on the views as they are, each multiplied by its factor."""
        numbers, energies = self.numbers(values), len(self.energies)
        factors = values[len(self.slots) + len(self.owners) - energies :]

        def scores() -> Iterator[_TermScore]:
            for number, part in enumerate(self.energies):
                present = numbers.get(part.label, {})
                energy = part.at(present)
                pictures = [seen.pixels] if energy.reference is None else [seen.pixels, seen.source]
                density = _evaluate(part.label, partial(energy.log_p, *pictures))
                integral, sums = _integral(density, (1, 1), seen, part.mask)
                yield _TermScore(factors[number] * part.weight(present), 1.0, integral, sums)

        return _total(scores())

    def _of_guides(self, term: Term, guides: Mapping[Path, Sequence[np.ndarray]]) -> Any:
        """Return what a term's function receives of its guides, each seen once as a whole; None without any."""
        pictures = (picture for path in term.guides for picture in guides[path])
        found = (_tapped(self.activations(picture[None]), term) for picture in pictures)
        if not term.guides:
            return None
        if term.summary is not None:
            return term.summary(found)
        return list(found) if isinstance(term.reference, tuple) else next(found)

    def _transformed(self, pixels: Any, numbers: Mapping[str, Mapping[str, Any]], seed: Any) -> Any:
        for i, part in enumerate(self.transforms):
            transform = part.at(numbers.get(part.label, {}))
            if transform.apply is not None:
                pixels = transform.apply(pixels, step_seed(seed, i))
        return pixels

    def _strides(self, label: str, term: Term, density: Any) -> list[int]:
        strides = [axis.stride for axis in self.extractor.geometry[term.layers[0]]]
        if density.shape.rank == 3 and 0 in strides:
            raise ModelError(
                f"{label}: the layer {term.layers[0]!r} has no positions; expected one number per picture, (n,)"
            )
        if density.shape.rank == 1 and term.at is not None:
            raise ModelError(f"{label} looks at one position; expected a density (n, h, w), not one number (n,)")
        return strides


def _tapped(activations: Mapping[str, Any], term: Term) -> dict[str, Any]:
    return {layer: activations[layer] for layer in term.layers}


def added(*totals: ScoreSums) -> ScoreSums:
    """Return the sum of several totals, their terms one after the other."""
    return ScoreSums(
        sum(total.value for total in totals),
        [weight for total in totals for weight in total.weights],
        [sums for total in totals for sums in total.sums],
    )


def _total(scores: Iterator[_TermScore]) -> ScoreSums:
    import tensorflow as tf

    value: Any = 0.0
    weights, sums = [], []
    for term in scores:
        value = value + term.weight * term.factor * term.integral
        weights.append(tf.cast(term.factor, tf.float32))
        sums.append(term.sums)
    return ScoreSums(value, weights, sums)


def _integral(density: Any, strides: Sequence[int], seen: Views, mask: int | None, at: Any = None) -> tuple[Any, Any]:
    """Add up a density over its positions, each multiplied by the mask there.

    Each position stands for ``stride²`` pixels of the cores, whatever the views, so that the parts of a cut picture add
    up to the mean over the whole. A single position, ``at``, stands for the whole picture and is counted once.

    Returns:
        The integral over the views, as a share of the picture (this is differentiated), and the sum and the count
        ``(2,)`` over the positions whose centre lies in a core (this is reported).
    """
    import tensorflow as tf

    cores, size = seen.cores, tf.cast(tf.shape(seen.pixels)[1:3], tf.float32)
    if density.shape.rank == 1:
        share = (cores[:, 1] - cores[:, 0]) * (cores[:, 3] - cores[:, 2])
        if mask is not None:
            density = density * tf.reduce_mean(seen.masks[..., mask], (1, 2))
        total = tf.reduce_sum(density * share)
        return total / seen.area, tf.stack([total, tf.reduce_sum(share)])
    inside, counted, nearest = [], [], []
    for axis in (0, 1):
        count = tf.shape(density)[axis + 1]
        span = tf.cast(count, tf.float32) * strides[axis]
        centre = (tf.range(tf.cast(count, tf.float32)) + 0.5) * strides[axis] + (size[axis] - span) / 2
        nearest.append(tf.clip_by_value(tf.cast(centre, tf.int32), 0, tf.shape(seen.pixels)[axis + 1] - 1))
        low, high = cores[:, 2 * axis, None], cores[:, 2 * axis + 1, None]
        if at is None:
            inside.append(tf.cast((centre >= low) & (centre < high), tf.float32))
            continue
        point = tf.clip_by_value(at[axis] * seen.shape[axis], 0.5, seen.shape[axis] - 0.5)
        within = (point - seen.origins[:, axis, None]) / seen.scales[:, axis, None]
        chosen = tf.one_hot(tf.argmin(tf.abs(centre - within), axis=1), count)
        counted.append(chosen * tf.cast((within >= 0) & (within < size[axis]), tf.float32))
        inside.append(chosen * tf.cast((within >= low) & (within < high), tf.float32))
    weighed = density
    if mask is not None:
        weighed = density * tf.gather(tf.gather(seen.masks[..., mask], nearest[0], axis=1), nearest[1], axis=2)
    core = inside[0][:, :, None] * inside[1][:, None, :]
    sums = tf.stack([tf.reduce_sum(weighed * core), tf.reduce_sum(core)])
    if at is None:
        return tf.reduce_sum(weighed) * float(strides[0] * strides[1]) / seen.area, sums
    return tf.reduce_sum(weighed * counted[0][:, :, None] * counted[1][:, None, :]) / seen.copies, sums


def _evaluate(label: str, density_of: Callable[[], Any], seen: Mapping[str, Any] | None = None) -> Any:
    """Call a part's function inside the trace; errors in it carry the part's label, and the shapes of what it saw."""
    import tensorflow as tf

    try:
        density = density_of()
        rank = density.shape.rank
    except KerasdreamError:
        raise
    except Exception as error:
        raise PluginError(f"{label} failed: {type(error).__name__}: {error}") from error
    if rank not in (1, 3):
        of = ", ".join(f"{layer!r} of shape {tuple(tensor.shape)}" for layer, tensor in (seen or {}).items())
        found = f"{tuple(density.shape)}{f' for {of}' if of else ''}"
        raise PluginError(f"{label} returned shape {found}; expected (n, h, w) or (n,)")
    return tf.cast(density, tf.float32)


def step_seed(seed: Any, index: int) -> Any:
    """Return a ``seed`` for ``keras.random`` functions: stateless numbers that follow from a traced int32 tensor.

    ``seed`` holds the step's two numbers and, third, the number of the call: views that do not fit into one call are
    seen in several. Draws are the same in all calls of a step, except those with ``seed.of_views``.

    Keras accepts an int, which would be frozen into the trace, or a generator that keeps its state in a variable. This
    one counts its draws while the function is traced and has no variable. It relies on Keras to take any
    ``SeedGenerator`` and to ask it for ``next()``; ``tests/engine/test_score.py`` checks that.
    """
    import keras
    import tensorflow as tf

    class StepSeed(keras.random.SeedGenerator):
        def __init__(self, start: Any) -> None:  # deliberately without super(): no variable, no state
            self.start, self.draws, self.parted = start, 0, False

        def next(self, ordered: bool = True) -> Any:
            self.draws += 1
            return self.start + tf.constant([index, self.draws])

        @property
        def of_views(self) -> StepSeed:
            """The seed of draws that differ from call to call."""
            self.parted = True
            return StepSeed(tf.random.experimental.stateless_fold_in(self.start, seed[2]))

    return StepSeed(seed[:2])
