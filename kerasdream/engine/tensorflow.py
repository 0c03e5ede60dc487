"""The gradient of a picture's score, tile by tile: the only place that knows ``tf.function`` and ``GradientTape``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from kerasdream.engine.canvas import DeviceSheet, HostSheet, Place, home, on_host, rolled, stacked
from kerasdream.engine.crops import apart, cropped, room_of
from kerasdream.engine.failures import known_failures
from kerasdream.engine.score import Score, ScoreSums, Views, added
from kerasdream.engine.seams import seam_correction
from kerasdream.plan.crops import in_panels
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.tile_size import IN_FLIGHT
from kerasdream.plan.tiling import BATCH_PIXELS, Grid, Tile, batches

if TYPE_CHECKING:
    from kerasdream.plan.crops import Box


class Slope(NamedTuple):
    """The result of one step.

    Attributes:
        gradient: of the weighted sum of all parts, shaped like the picture: an array or, on an accelerator, a tensor.
        means: each part's mean over the picture, unweighted: objectives, then energies.
        magnitude: the mean of ``|gradient|`` before the correction at seams; not finite if any of the gradient is not.
    """

    gradient: Any
    means: np.ndarray
    magnitude: float


class Evaluated(NamedTuple):
    """The result of one batch of tiles.

    ``weights`` and ``sums`` are those of ``ScoreSums``; ``magnitudes`` holds, for each tile, the sums of its core's
    ``|gradient|`` over each row and over each column.
    """

    weights: np.ndarray
    sums: np.ndarray
    magnitudes: list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class TiledStep:
    """All that the batches of one step have in common.

    Attributes:
        picture, companions: on the step's device; ``companions`` is None if there are none.
        values, seed: the numbers that change, as the trace takes them, and the seed.
        device: where picture and gradient are kept.
        sheet: takes the cores' gradients.
    """

    picture: Any
    companions: Any
    panels: Panels
    values: np.ndarray
    seed: tuple[int, int]
    device: str | None
    sheet: HostSheet | DeviceSheet

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the picture."""
        return self.picture.shape[:2]


class Engine:
    """Computes score and gradient of pictures of any size, with one trace.

    Args:
        score: what is differentiated: the parts, and the network they look through.
        batch: views that go through the network at once; None: as many as ``plan.tiling.BATCH_PIXELS`` allows.
        jit: whether XLA compiles the step, separately for each shape of views.
        sourced: whether a part looks at the source photo: the first three channels of the companions.
        masks: how many masks there are: the remaining channels.
    """

    def __init__(
        self, score: Score, *, batch: int | None = None, jit: bool = False, sourced: bool = False, masks: int = 0
    ) -> None:
        import tensorflow as tf

        self.score, self.batch, self.sourced = score, batch, sourced
        self.traces = 0
        numbers = tf.TensorSpec([len(score.slots) + len(score.energies)], tf.float32), tf.TensorSpec([3], tf.int32)
        channels = 3, 3 * sourced + masks
        views = [tf.TensorSpec([None, None, None, each], tf.float32) for each in channels]
        places = tf.TensorSpec([None, 6], tf.float32), tf.TensorSpec([3], tf.float32)
        self._step = tf.function(
            self._trace, input_signature=[*views, *places, *numbers], autograph=False, jit_compile=jit or None
        )
        canvases = [tf.TensorSpec([None, None, each], tf.float32) for each in channels]
        sizes = [tf.TensorSpec([], kind) for kind in (tf.int32, tf.int32, tf.float32)]
        crops = tf.TensorSpec([None, 4], tf.float32), *sizes, tf.TensorSpec([2], tf.int32)
        self._crops = tf.function(
            self._trace_crops, input_signature=[*canvases, *crops, *numbers], autograph=False, jit_compile=jit or None
        )
        self._workers: ThreadPoolExecutor | None = None

    def gradient(
        self,
        picture: Any,
        grid: Grid,
        values: Sequence[float] = (),
        seed: tuple[int, int] = (0, 0),
        *,
        companions: Any = None,
        pixels: int = BATCH_PIXELS,
        whole: bool = False,
        roll: tuple[int, int] = (0, 0),
        panels: Panels = SINGLE,
    ) -> Slope:
        """Evaluate every tile and put the picture's gradient together.

        Picture and gradient are kept on the accelerator if there is one and they fit, else in the host's memory.

        Args:
            picture: ``(height, width, 3)`` float32 in [-1, 1], array or tensor.
            grid: tiles whose cores cover the picture, or each of its panels.
            values: the numbers that change, now, in the order of ``Score.slots``; then each energy's factor.
            seed: two int32 for the transforms.
            companions: ``(height, width, channels)`` float32: the source photo, if a part looks at it, and the masks.
            pixels: how many pixels of small views may go through the network at once.
            whole: whether there are no seams to correct, because the views hold all that their cores depend on.
            roll: cyclic shift (down, right) of the picture for this step.
            panels: of several pictures on one sheet; the network sees the same tile of all of them at once.

        Raises:
            MemoryRanOutError: there is not enough memory for the views.
        """
        step = self._prepare(picture, companions, grid, values, seed, roll, panels)
        height, width = panels.of(step.shape)
        rows, columns, sums = np.zeros(height), np.zeros(width), np.zeros((len(self.score.owners), 2), "float32")
        for batch, done in self._each(step, self._batches(grid, panels, pixels)):
            weights, sums = done.weights, sums + done.sums
            for (_, tile), (along_rows, along_columns) in zip(batch, done.magnitudes, strict=True):
                rows[tile.rows.start : tile.rows.stop] += along_rows
                columns[tile.columns.start : tile.columns.stop] += along_columns
        return Slope(
            self._finished(step, None if whole else seam_correction(grid, rows, columns), roll),
            self._means(weights, sums),
            float(rows.sum() / (step.shape[0] * step.shape[1] * 3)),
        )

    def crops(
        self,
        picture: Any,
        boxes: Sequence[Box],
        size: int,
        values: Sequence[float] = (),
        seed: tuple[int, int] = (0, 0),
        *,
        companions: Any = None,
        panels: Panels = SINGLE,
    ) -> Slope:
        """Evaluate windows of the picture, or of each of its panels; the energies see the whole picture.

        Args:
            boxes: the windows, all of one size.
            size: height and width at which the network sees a window; windows of another size are resized, bilinearly.

        The other arguments and what is raised are as for ``gradient``; the gradient is zero where there is neither a
        window nor an energy with a slope.
        """
        import tensorflow as tf

        place = home(picture.shape[0] * picture.shape[1])
        changing = np.asarray(values, "float32")
        count, room = self.batch or max(1, BATCH_PIXELS // size**2), room_of(boxes[0], size)
        panel = np.array(panels.of(picture.shape[:2]), "int32")
        groups = [list(boxes[start : start + count]) for start in range(0, len(boxes), count)]
        groups = groups if panels == SINGLE else in_panels(boxes, panels, picture.shape[:2])
        total: Any = None
        sums = np.zeros((len(self.score.owners), 2), "float32")
        with known_failures(tiles=False):
            with tf.device(place):
                canvas = tf.convert_to_tensor(picture)
                others = tf.zeros((*canvas.shape[:2], 0)) if companions is None else tf.convert_to_tensor(companions)
            for call, some in enumerate(groups):
                numbers = changing, np.array((*seed, call), "int32")
                windows = np.array(some, "float32"), size, room, len(some) / (len(boxes) * panels.number), panel
                slope, weights, inside = self._crops(canvas, others, *windows, *numbers)
                with tf.device(place):
                    total = slope if total is None else total + slope
                weights, sums = weights.numpy(), sums + inside.numpy()
            magnitude = float(tf.reduce_mean(tf.abs(total)))
        return Slope(total.numpy() if on_host(place) else total, self._means(weights, sums), magnitude)

    def _prepare(
        self,
        picture: Any,
        companions: Any,
        grid: Grid,
        values: Sequence[float],
        seed: tuple[int, int],
        roll: tuple[int, int],
        panels: Panels,
    ) -> TiledStep:
        """Bring picture and companions to the device and to their shifted position."""
        import tensorflow as tf

        place = home(picture.shape[0] * picture.shape[1])

        def brought(canvas: Any) -> Any:
            canvas = rolled(canvas, roll, panels)
            return canvas if canvas is None or on_host(place) else tf.convert_to_tensor(canvas)

        with tf.device(place):
            return TiledStep(
                picture=brought(picture),
                companions=brought(companions),
                panels=panels,
                values=np.asarray(values, "float32"),
                seed=seed,
                device=place,
                sheet=HostSheet(picture.shape[:2], panels) if on_host(place) else DeviceSheet(grid, panels),
            )

    def _batches(self, grid: Grid, panels: Panels, pixels: int) -> list[list[Place]]:
        """Group the tiles: those of equal shape, or the same tile of every panel."""
        if panels == SINGLE:
            return [[Place(0, tile) for tile in tiles] for tiles in batches(grid.tiles, self.batch, pixels)]
        return [[Place(panel, tile) for panel in range(panels.number)] for tile in grid.tiles]

    def _finished(self, step: TiledStep, factors: tuple[np.ndarray, np.ndarray] | None, roll: tuple[int, int]) -> Any:
        """Return the whole gradient, corrected at seams and shifted back."""
        import tensorflow as tf

        with tf.device(step.device):
            return rolled(step.sheet.finished(factors), (-roll[0], -roll[1]), step.panels)

    def _means(self, weights: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Return each part's mean, from its terms' factors, sums and counts."""
        means = weights * sums[:, 0] / np.maximum(sums[:, 1], 1)
        return np.bincount(self.score.owners, means, len(self.score.objectives) + len(self.score.energies))

    def _each(self, step: TiledStep, todo: list[list[Place]]) -> Iterator[tuple[list[Place], Evaluated]]:
        """Yield every batch with its result, in order; ``IN_FLIGHT`` are under way at once."""
        if len(todo) == 1:
            yield todo[0], self._evaluate(step, 0, todo[0])
            return
        if self._workers is None:
            self._workers = ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="kerasdream")
        futures = [self._workers.submit(self._evaluate, step, call, batch) for call, batch in enumerate(todo)]
        try:
            for batch, future in zip(todo, futures, strict=True):
                yield batch, future.result()
        finally:  # after an error or Ctrl-C, no batch may still be running during a later call
            for future in futures:
                future.cancel()
            for future in futures:
                if not future.cancelled():
                    future.exception()

    def _evaluate(self, step: TiledStep, call: int, batch: list[Place]) -> Evaluated:
        """Evaluate one batch, the step's call of this number, and put its cores on the sheet."""
        import tensorflow as tf

        tiles = [tile for _, tile in batch]
        corners = np.array([(*_core(tile), tile.rows.view_start, tile.columns.view_start) for tile in tiles], "float32")
        windows = step.panels.windows(step.shape)
        shape = np.array((*step.panels.of(step.shape), step.panels.number), "float32")
        with known_failures(tiles=True):
            with tf.device(step.device):
                views, others = (stacked(canvas, batch, windows) for canvas in (step.picture, step.companions))
            seed = np.array((*step.seed, call), "int32")
            tiled, weights, inside = self._step(views, others, corners, shape, step.values, seed)
            with tf.device(step.device):
                places = enumerate(corners[:, :4].astype(int))
                cores = [tiled[i, top:bottom, left:right] for i, (top, bottom, left, right) in places]
                sizes = [tf.abs(core) for core in cores]
                sums = [(tf.reduce_sum(size, (1, 2)).numpy(), tf.reduce_sum(size, (0, 2)).numpy()) for size in sizes]
                for at, core in zip(batch, cores, strict=True):
                    step.sheet.put(at, core)
        return Evaluated(weights.numpy(), inside.numpy(), sums)

    def _trace(self, views: Any, others: Any, places: Any, shape: Any, values: Any, seed: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        self.traces += 1  # runs when traced, not when called
        source, masks = self._split(others)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(views)
            ones = tf.ones_like(places[:, :2])
            area = tf.reduce_prod(shape)
            seen = Views(views, source, masks, places[:, :4], places[:, 4:], ones, shape[:2], area, shape[2])
            total = added(self.score.of_objectives(seen, values, seed), self.score.of_energies(seen, values))
        return _returned(total, tape.gradient(total.value, views, unconnected_gradients="zero"))

    def _trace_crops(
        self, canvas: Any, others: Any, boxes: Any, size: Any, room: Any, share: Any, panel: Any, values: Any, seed: Any
    ) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        shape = tf.cast(panel, tf.float32)
        count = tf.cast(tf.shape(boxes)[0], tf.float32)
        side = tf.cast(size, tf.float32)
        cores = tf.zeros_like(boxes) + tf.stack([0.0, side, 0.0, side])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(canvas)
            source, masks = self._split(cropped(others, boxes, size, room))
            seen = Views(
                cropped(canvas, boxes, size, room), source, masks, cores, boxes[:, :2] % shape, boxes[:, 2:] / side,
                shape, count * side * side, count,
            )  # fmt: skip
            pixels = apart(canvas, panel)
            source, masks = self._split(apart(others, panel))
            number = tf.shape(pixels)[0]
            around = tf.tile(tf.stack([0.0, shape[0], 0.0, shape[1]])[None], (number, 1))
            origin, ones = tf.zeros((number, 2)), tf.ones((number, 2))
            area = shape[0] * shape[1] * tf.cast(number, tf.float32)
            whole = Views(pixels, source, masks, around, origin, ones, shape, area, 1.0)
            total = added(self.score.of_objectives(seen, values, seed), self.score.of_energies(whole, values))
        return _returned(total, share * tape.gradient(total.value, canvas, unconnected_gradients="zero"))

    def _split(self, companions: Any) -> tuple[Any, Any]:
        """Return source and masks; without a part that compares, the source is None."""
        return (companions[..., :3], companions[..., 3:]) if self.sourced else (None, companions)


def _returned(total: ScoreSums, gradient: Any) -> tuple[Any, Any, Any]:
    """Return what leaves the trace: the gradient, and the terms' factors and sums as one tensor each."""
    import tensorflow as tf

    return gradient, tf.stack(total.weights), tf.stack(total.sums)


def _core(tile: Tile) -> tuple[int, int, int, int]:
    """Return top, bottom, left, right of a tile's core within its view."""
    rows, columns = tile
    return (
        rows.start - rows.view_start,
        rows.stop - rows.view_start,
        columns.start - columns.view_start,
        columns.stop - columns.view_start,
    )
