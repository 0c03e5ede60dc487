"""The weighted sum of all parts, in the trace: from views of the picture to what is differentiated."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kerasdream.components import Energy, Objective
from kerasdream.errors import KerasdreamError, ModelError, PluginError

if TYPE_CHECKING:
    from kerasdream.components import Term, Transform
    from kerasdream.models.extractor import Extractor


class Part(NamedTuple):
    """A component of the step: made in the trace from the numbers that change.

    ``make(values)`` returns the objective, energy or transform; ``values`` are scalar tensors, one for each of
    ``names``. A constant ``weight`` is used where it is not among them. ``mask`` is the number of its mask, if any.
    """

    name: str
    names: tuple[str, ...]
    make: Callable[[Mapping[str, Any]], Objective | Energy | Transform]
    weight: Any = 1.0
    mask: int | None = None


class Views(NamedTuple):
    """Views of a picture, as tensors.

    Attributes:
        pixels: ``(n, h, w, 3)``.
        source: the same windows of the source photo; None where nothing looks at it.
        masks: the same windows of the masks, ``(n, h, w, masks)``.
        cores: top, bottom, left, right of what counts in each view, ``(n, 4)``.
        origins: y and x in the picture of each view's first pixel, ``(n, 2)``.
        scales: pixels of the picture that a pixel of the view is high and wide, ``(n, 2)``.
        shape: height and width of the picture, ``(2,)``.
        area: pixels that all cores of the step have together.
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
    """What the parts come to on the views of one call.

    ``value`` is differentiated. For each term, ``owners`` is the number of its part, ``weights`` its factor within the
    part, ``sums`` the sum and the count over the positions in cores, ``(terms, 2)``.
    """

    value: Any
    owners: list[int]
    weights: list[Any]
    sums: list[Any]


class Score:
    """The parts of a step, and the network they look through.

    Args:
        extractor: the rebuilt network.
        preprocess: from a picture in [-1, 1] to the network's input.
        objectives, energies, transforms: the parts, in order.

    Attributes:
        guides: path of a guide -> its activations, ``{layer: (1, h, w, channels)}``, which ``activations`` gives.
    """

    def __init__(
        self,
        extractor: Extractor,
        preprocess: Callable[[Any], Any],
        objectives: Sequence[Part],
        energies: Sequence[Part] = (),
        transforms: Sequence[Part] = (),
    ) -> None:
        self.extractor, self.preprocess = extractor, preprocess
        self.guides: Mapping[Path, Mapping[str, Any]] = {}
        self.objectives, self.energies, self.transforms = objectives, energies, transforms
        parts = [*objectives, *energies, *transforms]
        self.slots = [(part.name, name) for part in parts for name in part.names]

    def numbers(self, values: Any) -> dict[str, dict[str, Any]]:
        """Returns the numbers that change by part and name, given them in the order of ``slots``."""
        numbers: dict[str, dict[str, Any]] = {}
        for i, (part, name) in enumerate(self.slots):
            numbers.setdefault(part, {})[name] = values[i]
        return numbers

    def activations(self, pixels: Any) -> dict[str, Any]:
        """Returns what the network's selected layers make of pictures in [-1, 1], as float32."""
        import tensorflow as tf

        activations = self.extractor.model(self.preprocess(pixels), training=False)
        return {layer: tf.cast(tensor, tf.float32) for layer, tensor in activations.items()}

    def of_objectives(self, seen: Views, values: Any, seed: Any) -> ScoreSums:
        """Adds up the objectives, looking at transformed views."""
        numbers = self.numbers(values)
        activations = self.activations(self._transformed(seen.pixels, numbers, seed))
        beside = None if seen.source is None else self.activations(self._transformed(seen.source, numbers, seed))

        def densities() -> Iterator[tuple[int, Any, Any]]:
            for owner, part in enumerate(self.objectives):
                present = dict(numbers.get(part.name, {}))
                weight = present.pop("weight", part.weight)
                for term in part.make(present).terms:
                    tapped = [{layer: activations[layer] for layer in term.layers}]
                    if term.reference == "source":
                        tapped.append({layer: beside[layer] for layer in term.layers})
                    elif term.reference is not None:
                        tapped.append({layer: self.guides[term.reference][layer] for layer in term.layers})
                    density = _evaluate(part, lambda term=term, tapped=tapped: term.fn(*tapped))
                    strides = self._strides(part, term, density)
                    yield owner, (weight, term.weight), _integral(density, strides, seen, part.mask, term.at)

        return _total(densities())

    def of_energies(self, seen: Views, values: Any) -> ScoreSums:
        """Adds up the energies, looking at the views as they are."""
        numbers = self.numbers(values)

        def densities() -> Iterator[tuple[int, Any, Any]]:
            for owner, part in enumerate(self.energies, len(self.objectives)):
                present = dict(numbers.get(part.name, {}))
                weight = present.pop("weight", part.weight)
                made = part.make(present)
                pictures = [seen.pixels] if made.reference is None else [seen.pixels, seen.source]
                density = _evaluate(part, lambda made=made, pictures=pictures: made.log_p(*pictures))
                yield owner, (weight, 1.0), _integral(density, (1, 1), seen, part.mask)

        return _total(densities())

    def _transformed(self, pixels: Any, numbers: Mapping[str, Mapping[str, Any]], seed: Any) -> Any:
        for i, part in enumerate(self.transforms):
            transform = part.make(numbers.get(part.name, {}))
            if transform.apply is not None:
                pixels = transform.apply(pixels, step_seed(seed, i))
        return pixels

    def _strides(self, part: Part, term: Term, density: Any) -> list[int]:
        strides = [axis.stride for axis in self.extractor.geometry[term.layers[0]]]
        if density.shape.rank == 3 and 0 in strides:
            raise ModelError(f"{part.name}: the layer {term.layers[0]!r} has no positions; expected one number (n,)")
        if density.shape.rank == 1 and term.at is not None:
            raise ModelError(f"{part.name} looks at one position; expected a density (n, h, w), not one number (n,)")
        return strides


def added(*totals: ScoreSums) -> ScoreSums:
    """Returns several totals as one."""
    value, *lists = zip(*totals, strict=True)
    return ScoreSums(sum(value), *([item for one in of_each for item in one] for of_each in lists))


def _total(densities: Iterator[tuple[int, Any, Any]]) -> ScoreSums:
    import tensorflow as tf

    total = ScoreSums(0.0, [], [], [])
    for owner, (weight, factor), (integral, sums) in densities:
        total = ScoreSums(total.value + weight * factor * integral, *total[1:])
        total.owners.append(owner)
        total.weights.append(tf.cast(factor, tf.float32))
        total.sums.append(sums)
    return total


def _integral(density: Any, strides: Sequence[int], seen: Views, mask: int | None, at: Any = None) -> tuple[Any, Any]:
    """Adds a density up over its positions, each times the mask there.

    Each position stands for ``stride²`` of the cores' pixels, whatever the views, so the parts of a cut picture add up
    to the mean over the whole. A single position, ``at``, stands for all: it counts as it is.

    Returns:
        The integral over the views, as a share of the picture (what is differentiated); the sum and the count ``(2,)``
        over the positions whose centre lies in a core (what is reported).
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


def _evaluate(part: Part, call: Callable[[], Any]) -> Any:
    """Calls a part's function in the trace; a fault in it bears its name."""
    import tensorflow as tf

    try:
        density = call()
        rank = density.shape.rank
    except KerasdreamError:
        raise
    except Exception as error:
        raise PluginError(f"{part.name} failed: {type(error).__name__}: {error}") from error
    if rank not in (1, 3):
        raise PluginError(f"{part.name} returned shape {tuple(density.shape)}; expected (n, h, w) or (n,)")
    return tf.cast(density, tf.float32)


def step_seed(seed: Any, index: int) -> Any:
    """Returns what ``keras.random`` functions take as ``seed``: stateless numbers that follow from a traced ``(2,)``
    int32.

    Keras accepts an int, frozen into the trace, or a generator that holds its state in a variable; this is a generator
    that counts its draws in the trace.
    """
    import keras
    import tensorflow as tf

    class StepSeed(keras.random.SeedGenerator):
        def __init__(self) -> None:  # no variable, no state
            self.draws = 0

        def next(self, ordered: bool = True) -> Any:
            self.draws += 1
            return seed + tf.constant([index, self.draws])

    return StepSeed()
