"""The gradient of a picture's score, tile by tile: the only place that knows ``tf.function`` and ``GradientTape``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdream.engine.canvas import DeviceSheet, HostSheet, Place, home, on_host, rolled, stacked
from kerasdream.engine.crops import apart, cropped, room_of
from kerasdream.engine.failures import known_failures
from kerasdream.engine.score import Score, ScoreSums, Views, added
from kerasdream.engine.seams import seam_correction
from kerasdream.engine.slope import Evaluated, Slope, TiledStep
from kerasdream.plan.crops import in_panels
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.tile_size import IN_FLIGHT
from kerasdream.plan.tiling import BATCH_PIXELS, Grid, batches

if TYPE_CHECKING:
    from kerasdream.plan.crops import Box


class Engine:
    """Computes score and gradient of pictures of any size, with one trace.

    Args:
        score: what is differentiated: the parts, and the network they look through.
        batch: views that go through the network at once; None: as many as ``plan.tiling.BATCH_PIXELS`` allows.
        jit: whether XLA compiles the step, separately for each shape of views.
        sourced: whether a part looks at the source photo: the first three channels of the companions.
        masks: how many masks there are: the remaining channels.
        attributed: whether a slope has an attribution.
    """

    def __init__(
        self,
        score: Score,
        *,
        batch: int | None = None,
        jit: bool = False,
        sourced: bool = False,
        masks: int = 0,
        attributed: bool = False,
    ) -> None:
        import tensorflow as tf

        self.score, self.batch, self.sourced, self.attributed = score, batch, sourced, attributed
        self.traces = 0
        numbers = tf.TensorSpec([len(score.slots) + len(score.owners)], tf.float32), tf.TensorSpec([3], tf.int32)
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
            values: the numbers that change, now, in the order of ``Score.slots``; then a factor for each term,
                or none: all are 1.
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
        found = self._finished(step, None if whole else seam_correction(grid, rows, columns), roll)
        gradient, attribution = self._parted(found, step.device)
        magnitude = float(rows.sum() / (step.shape[0] * step.shape[1] * 3))
        return Slope(gradient, self._means(weights, sums), magnitude, attribution)

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
        changing = self._numbers(values)
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
            gradient, attribution = self._parted(total.numpy() if on_host(place) else total, place)
            magnitude = float(tf.reduce_mean(tf.abs(gradient)))
        return Slope(gradient, self._means(weights, sums), magnitude, attribution)

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
                values=self._numbers(values),
                seed=seed,
                device=place,
                sheet=HostSheet(picture.shape[:2], panels, 6 if self._doubled else 3)
                if on_host(place)
                else DeviceSheet(grid, panels),
            )

    def _numbers(self, values: Sequence[float]) -> np.ndarray:
        """Return the numbers that change and the terms' factors, as the trace takes them."""
        factors = [] if len(values) > len(self.score.slots) else [1.0] * len(self.score.owners)
        return np.array([*values, *factors], "float32")

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

    @property
    def _doubled(self) -> bool:
        """Whether the objectives' own gradient leaves the trace too, as three more channels."""
        return self.attributed and bool(self.score.energies)

    def _parted(self, found: Any, device: str | None) -> tuple[Any, np.ndarray | None]:
        """Return the gradient and the attribution, given the channels that left the trace."""
        import tensorflow as tf

        if not self.attributed:
            return found, None
        gradient = np.ascontiguousarray(found[..., :3]) if isinstance(found, np.ndarray) else found[..., :3]
        with tf.device(device):
            return gradient, tf.reduce_sum(tf.abs(found[..., -3:]), -1).numpy()

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
        corners = np.array([(*tile.core, tile.rows.view_start, tile.columns.view_start) for tile in tiles], "float32")
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
                sizes = [tf.abs(core[..., :3]) for core in cores]
                sums = [(tf.reduce_sum(size, (1, 2)).numpy(), tf.reduce_sum(size, (0, 2)).numpy()) for size in sizes]
                for at, core in zip(batch, cores, strict=True):
                    step.sheet.put(at, core)
        return Evaluated(weights.numpy(), inside.numpy(), sums)

    def _trace(self, views: Any, others: Any, places: Any, shape: Any, values: Any, seed: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        self.traces += 1  # runs when traced, not when called
        source, masks = self._split(others)
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
            tape.watch(views)
            ones = tf.ones_like(places[:, :2])
            area = tf.reduce_prod(shape)
            seen = Views(views, source, masks, places[:, :4], places[:, 4:], ones, shape[:2], area, shape[2])
            sums = self.score.of_objectives(seen, values, seed), self.score.of_energies(seen, values)
        return self._returned(tape, views, *sums)

    def _trace_crops(
        self, canvas: Any, others: Any, boxes: Any, size: Any, room: Any, share: Any, panel: Any, values: Any, seed: Any
    ) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        shape = tf.cast(panel, tf.float32)
        count = tf.cast(tf.shape(boxes)[0], tf.float32)
        side = tf.cast(size, tf.float32)
        cores = tf.zeros_like(boxes) + tf.stack([0.0, side, 0.0, side])
        with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
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
            sums = self.score.of_objectives(seen, values, seed), self.score.of_energies(whole, values)
        gradient, *reported = self._returned(tape, canvas, *sums)
        return share * gradient, *reported

    def _split(self, companions: Any) -> tuple[Any, Any]:
        """Return source and masks; without a part that compares, the source is None."""
        return (companions[..., :3], companions[..., 3:]) if self.sourced else (None, companions)

    def _returned(self, tape: Any, pixels: Any, objectives: ScoreSums, energies: ScoreSums) -> tuple[Any, Any, Any]:
        """Return what leaves the trace: the gradient, and the terms' factors and sums as one tensor each.

        Objectives and energies are differentiated apart, which takes no longer than their sum.
        """
        import tensorflow as tf

        gradient = own = tape.gradient(objectives.value, pixels, unconnected_gradients="zero")
        if self.score.energies:
            gradient = own + tape.gradient(energies.value, pixels, unconnected_gradients="zero")
        total = added(objectives, energies)
        slope = tf.concat([gradient, own], -1) if self._doubled else gradient
        return slope, tf.stack(total.weights), tf.stack(total.sums)
