"""The gradient of a picture's score, tile by tile: the only place that knows ``tf.function`` and ``GradientTape``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NamedTuple

from kerasdream.components import Objective
from kerasdream.engine.canvas import DeviceSheet, HostSheet, cut, home, on_host
from kerasdream.errors import KerasdreamError, MemoryRanOutError, ModelError, PluginError
from kerasdream.seams import evening
from kerasdream.tiling import BATCH_PIXELS, Grid, Tile, batches
from kerasdream.tuning import IN_FLIGHT

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.components import Energy, Transform
    from kerasdream.models.extractor import Extractor


class Part(NamedTuple):
    """A component of the step: made in the trace from the numbers that change.

    ``make(values)`` returns the objective, energy or transform; ``values`` are scalar tensors, one for each of
    ``names``. A constant ``weight`` is used where it is not among them.
    """

    name: str
    names: tuple[str, ...]
    make: Callable[[Mapping[str, Any]], Objective | Energy | Transform]
    weight: Any = 1.0


class Evaluated(NamedTuple):
    """What a batch of tiles has come to.

    ``weights`` and ``sums`` are those of the trace; ``magnitudes``, for each tile, the sums of its core's
    ``|gradient|`` over each row and over each column.
    """

    weights: np.ndarray
    sums: np.ndarray
    magnitudes: list[tuple[np.ndarray, np.ndarray]]


class Engine:
    """Computes score and gradient of pictures of any size, with one trace.

    Args:
        extractor: the rebuilt network.
        preprocess: from a picture in [-1, 1] to the network's input.
        objectives, energies, transforms: the parts, in order.
        batch: views that go through the network at once; None: as many as ``kerasdream.tiling.BATCH_PIXELS`` allows.
        jit: whether XLA compiles the step, anew for each shape of views.
    """

    def __init__(
        self,
        extractor: Extractor,
        preprocess: Callable[[Any], Any],
        objectives: Sequence[Part],
        energies: Sequence[Part] = (),
        transforms: Sequence[Part] = (),
        *,
        batch: int | None = None,
        jit: bool = False,
    ) -> None:
        import tensorflow as tf

        self.extractor, self.preprocess, self.batch = extractor, preprocess, batch
        self.objectives, self.energies, self.transforms = objectives, energies, transforms
        self.traces = 0
        parts = [*objectives, *energies, *transforms]
        self.slots = [(part.name, name) for part in parts for name in part.names]
        signature = [
            tf.TensorSpec([None, None, None, 3], tf.float32),
            tf.TensorSpec([None, 4], tf.float32),
            tf.TensorSpec([], tf.float32),
            tf.TensorSpec([len(self.slots)], tf.float32),
            tf.TensorSpec([2], tf.int32),
        ]
        self._step = tf.function(self._trace, input_signature=signature, autograph=False, jit_compile=jit or None)
        self._workers: ThreadPoolExecutor | None = None

    def gradient(
        self,
        picture: Any,
        grid: Grid,
        values: Sequence[float] = (),
        seed: tuple[int, int] = (0, 0),
        *,
        pixels: int = BATCH_PIXELS,
        whole: bool = False,
    ) -> tuple[Any, np.ndarray, float]:
        """Evaluates every tile and puts the picture's gradient together.

        Picture and gradient are on the accelerator if there is one and they fit, else in the host's memory.

        Args:
            picture: ``(height, width, 3)`` float32 in [-1, 1], array or tensor.
            grid: tiles whose cores cover the picture.
            values: present values of the numbers that change, in the order of ``slots``.
            seed: two int32 for the transforms.
            pixels: of small views that may go through the network at once.
            whole: whether the views hold all that their cores depend on, so that there is nothing to even out.

        Returns:
            The gradient of the weighted sum, shaped like the picture, an array or, on an accelerator, a tensor; each
            part's mean over the picture, unweighted (objectives, then energies); the mean of ``|gradient|`` before it
            was evened out, which is not finite where any of it is not.

        Raises:
            MemoryRanOutError: there is not enough memory for the views.
        """
        import numpy as np
        import tensorflow as tf

        height, width = picture.shape[:2]
        numbers = np.asarray(values, "float32"), np.asarray(seed, "int32")
        place = home(height * width)
        canvas, sheet = picture, HostSheet((height, width)) if on_host(place) else DeviceSheet(grid)
        if not on_host(place):
            with tf.device(place):
                canvas = tf.convert_to_tensor(picture)
        todo = list(batches(grid.tiles, self.batch, pixels))
        rows, columns = np.zeros(height), np.zeros(width)
        sums: Any = 0.0
        for batch, done in self._each(lambda batch: self._evaluate(batch, canvas, place, numbers, sheet), todo):
            weights, sums = done.weights, sums + done.sums
            for tile, (along_rows, along_columns) in zip(batch, done.magnitudes, strict=True):
                rows[tile.rows.start : tile.rows.stop] += along_rows
                columns[tile.columns.start : tile.columns.stop] += along_columns
        with tf.device(place):
            gradient = sheet.finished(None if whole else evening(grid, rows, columns))
        means = weights * sums[:, 0] / np.maximum(sums[:, 1], 1)
        scores = np.bincount(self._owners, means, len(self.objectives) + len(self.energies))
        return gradient, scores, float(rows.sum() / (height * width * 3))

    def _each(self, evaluate: Callable[[list[Tile]], Any], todo: list[list[Tile]]) -> Iterator[tuple[list[Tile], Any]]:
        """Yields every batch with its result, in order; ``IN_FLIGHT`` are under way at once."""
        if len(todo) == 1:
            yield todo[0], evaluate(todo[0])
            return
        if self._workers is None:
            self._workers = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="kerasdream")
        futures = [self._workers.submit(evaluate, batch) for batch in todo]
        try:
            for batch, future in zip(todo, futures, strict=True):
                yield batch, future.result()
        finally:  # after a fault or Ctrl-C none is left under way beside a later call
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled():
                    future.exception()

    def _evaluate(
        self,
        batch: list[Tile],
        canvas: Any,
        place: str | None,
        numbers: tuple[Any, Any],
        sheet: HostSheet | DeviceSheet,
    ) -> Evaluated:
        """Evaluates one batch and puts its cores on the sheet."""
        import numpy as np
        import tensorflow as tf

        corners = np.array([_core(tile) for tile in batch], "float32")
        area = float(canvas.shape[0] * canvas.shape[1])
        try:
            with tf.device(place):
                views = tf.stack([cut(canvas, tile) for tile in batch])
            tiled, weights, inside = self._step(views, corners, area, *numbers)
            with tf.device(place):
                places = enumerate(corners.astype(int))
                cores = [tiled[i, top:bottom, left:right] for i, (top, bottom, left, right) in places]
                sizes = [tf.abs(core) for core in cores]
                sums = [(tf.reduce_sum(size, (1, 2)).numpy(), tf.reduce_sum(size, (0, 2)).numpy()) for size in sizes]
                for tile, core in zip(batch, cores, strict=True):
                    sheet.put(tile, core)
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise MemoryRanOutError(f"memory ran out: {error}".partition("\n")[0]) from None
        return Evaluated(weights.numpy(), inside.numpy(), sums)

    def _trace(self, views: Any, cores: Any, area: Any, values: Any, seed: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        self.traces += 1  # runs when traced, not when called
        numbers: dict[str, dict[str, Any]] = {}
        for i, (part, name) in enumerate(self.slots):
            numbers.setdefault(part, {})[name] = values[i]
        size = tf.cast(tf.shape(views)[1:3], tf.float32)
        total, owners, weights, sums = 0.0, [], [], []
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(views)
            seen = views
            for i, part in enumerate(self.transforms):
                transform = part.make(numbers.get(part.name, {}))
                if transform.apply is not None:
                    seen = transform.apply(seen, step_seed(seed, i))
            activations = self.extractor.model(self.preprocess(seen), training=False)
            activations = {layer: tf.cast(tensor, tf.float32) for layer, tensor in activations.items()}
            for owner, part in enumerate([*self.objectives, *self.energies]):
                present = dict(numbers.get(part.name, {}))
                weight = present.pop("weight", part.weight)
                for factor, strides, density in self._densities(part, present, activations, views):
                    integral, inside = _integral(density, strides, size, cores, area)
                    total += weight * factor * integral
                    owners.append(owner)
                    weights.append(tf.cast(factor, tf.float32))
                    sums.append(inside)
        self._owners = owners
        return tape.gradient(total, views, unconnected_gradients="zero"), tf.stack(weights), tf.stack(sums)

    def _densities(self, part: Part, present: Mapping[str, Any], activations: Any, views: Any) -> Iterator[Any]:
        """Yields (factor, strides, density) of each term of an objective, or of an energy."""
        made = part.make(present)
        if not isinstance(made, Objective):
            yield 1.0, (1, 1), _evaluate(part, lambda: made.log_p(views))
            return
        for term in made.terms:
            strides = [axis.stride for axis in self.extractor.geometry[term.layers[0]]]
            tapped = {layer: activations[layer] for layer in term.layers}
            density = _evaluate(part, lambda term=term, tapped=tapped: term.fn(tapped))
            if density.shape.rank == 3 and 0 in strides:
                raise ModelError(
                    f"{part.name}: the layer {term.layers[0]!r} has no positions; expected one number (n,)"
                )
            yield term.weight, strides, density


def _core(tile: Tile) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of a tile's core within its view."""
    rows, columns = tile
    return (
        rows.start - rows.view_start,
        rows.stop - rows.view_start,
        columns.start - columns.view_start,
        columns.stop - columns.view_start,
    )


def _integral(density: Any, strides: Sequence[int], size: Any, cores: Any, area: Any) -> tuple[Any, Any]:
    """Adds a density up over its positions.

    Each position stands for ``stride²`` of the picture's ``area`` pixels, whatever the tiles, so the parts of a cut
    picture add up to the mean over the whole.

    Returns:
        The integral over the views, as a share of the picture (what is differentiated); the sum and the count ``(2,)``
        over the positions whose centre lies in a core (what is reported).
    """
    import tensorflow as tf

    if density.shape.rank == 1:
        share = (cores[:, 1] - cores[:, 0]) * (cores[:, 3] - cores[:, 2])
        return tf.reduce_sum(density * share) / area, tf.stack([tf.reduce_sum(density * share), tf.reduce_sum(share)])
    inside = []
    for axis in (0, 1):
        count = tf.shape(density)[axis + 1]
        span = tf.cast(count, tf.float32) * strides[axis]
        centre = (tf.range(tf.cast(count, tf.float32)) + 0.5) * strides[axis] + (size[axis] - span) / 2
        low, high = cores[:, 2 * axis, None], cores[:, 2 * axis + 1, None]
        inside.append(tf.cast((centre >= low) & (centre < high), tf.float32))
    mask = inside[0][:, :, None] * inside[1][:, None, :]
    cell = float(strides[0] * strides[1])
    return tf.reduce_sum(density) * cell / area, tf.stack([tf.reduce_sum(density * mask), tf.reduce_sum(mask)])


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


def pull_back(decode: Callable[..., Any], state: Any, shape: tuple[int, int], gradient: Any) -> Any:
    """Returns the gradient with respect to a parametrization's state, given that with respect to the picture."""
    import tensorflow as tf

    state = tf.convert_to_tensor(state)
    with tf.GradientTape() as tape:
        tape.watch(state)
        picture = decode(state, *shape)
    return tape.gradient(picture, state, output_gradients=tf.convert_to_tensor(gradient))


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
