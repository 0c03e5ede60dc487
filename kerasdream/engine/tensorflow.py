"""The gradient of a picture's score, tile by tile: the only place that knows ``tf.function`` and ``GradientTape``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

from kerasdream.engine.canvas import DeviceSheet, HostSheet, Place, cut, home, on_host, rolled
from kerasdream.engine.score import Score, ScoreSums, Views, added
from kerasdream.engine.seams import seam_correction
from kerasdream.errors import MemoryRanOutError
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plan.tile_size import IN_FLIGHT
from kerasdream.plan.tiling import BATCH_PIXELS, Grid, Tile, batches

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.plan.crops import Box


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
        score: what is differentiated: the parts, and the network they look through.
        batch: views that go through the network at once; None: as many as ``plan.tiling.BATCH_PIXELS`` allows.
        jit: whether XLA compiles the step, anew for each shape of views.
        sourced: whether a part looks at the source photo: the first three channels beside the picture.
        masks: how many masks there are: the channels after it.
    """

    def __init__(
        self, score: Score, *, batch: int | None = None, jit: bool = False, sourced: bool = False, masks: int = 0
    ) -> None:
        import tensorflow as tf

        self.score, self.batch, self.sourced = score, batch, sourced
        self.traces = 0
        self._owners: list[int] = []
        self._beside = 3 * sourced + masks
        numbers = tf.TensorSpec([len(score.slots)], tf.float32), tf.TensorSpec([2], tf.int32)
        views = [tf.TensorSpec([None, None, None, channels], tf.float32) for channels in (3, self._beside)]
        places = tf.TensorSpec([None, 6], tf.float32), tf.TensorSpec([3], tf.float32)
        self._step = tf.function(
            self._trace, input_signature=[*views, *places, *numbers], autograph=False, jit_compile=jit or None
        )
        canvases = [tf.TensorSpec([None, None, channels], tf.float32) for channels in (3, self._beside)]
        sizes = [tf.TensorSpec([], kind) for kind in (tf.int32, tf.int32, tf.float32)]
        crops = tf.TensorSpec([None, 4], tf.float32), *sizes
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
        beside: Any = None,
        pixels: int = BATCH_PIXELS,
        whole: bool = False,
        roll: tuple[int, int] = (0, 0),
        panels: Panels = SINGLE,
    ) -> tuple[Any, np.ndarray, float]:
        """Evaluates every tile and puts the picture's gradient together.

        Picture and gradient are on the accelerator if there is one and they fit, else in the host's memory.

        Args:
            picture: ``(height, width, 3)`` float32 in [-1, 1], array or tensor.
            grid: tiles whose cores cover the picture, or each of its panels.
            values: present values of the numbers that change, in the order of ``Score.slots``.
            seed: two int32 for the transforms.
            beside: ``(height, width, channels)`` float32: the source photo, if it is looked at, and the masks.
            pixels: of small views that may go through the network at once.
            whole: whether there is nothing to even out, as the views hold all that their cores depend on.
            roll: by how much the picture is shifted for the step, down and to the right, wrapped around.
            panels: of several pictures on one sheet; the network is shown the same tile of all of them at once.

        Returns:
            The gradient of the weighted sum, shaped like the picture, an array or, on an accelerator, a tensor; each
            part's mean over the picture, unweighted (objectives, then energies); the mean of ``|gradient|`` before it
            was evened out, which is not finite where any of it is not.

        Raises:
            MemoryRanOutError: there is not enough memory for the views.
        """
        import numpy as np
        import tensorflow as tf

        height, width = panels.of(picture.shape[:2])
        numbers = np.asarray(values, "float32"), np.asarray(seed, "int32")
        place = home(picture.shape[0] * picture.shape[1])
        sheet = HostSheet(picture.shape[:2], panels) if on_host(place) else DeviceSheet(grid, panels)
        with tf.device(place):
            canvases = rolled(picture, roll, panels), rolled(beside, roll, panels)
            if not on_host(place):
                canvases = tuple(None if one is None else tf.convert_to_tensor(one) for one in canvases)
        if panels == SINGLE:
            todo = [[Place(0, tile) for tile in tiles] for tiles in batches(grid.tiles, self.batch, pixels)]
        else:
            todo = [[Place(panel, tile) for panel in range(panels.count)] for tile in grid.tiles]
        rows, columns = np.zeros(height), np.zeros(width)
        sums: Any = 0.0

        def evaluate(batch: list[Place]) -> Evaluated:
            return self._evaluate(batch, canvases, panels, place, numbers, sheet)

        for batch, done in self._each(evaluate, todo):
            weights, sums = done.weights, sums + done.sums
            for (_, tile), (along_rows, along_columns) in zip(batch, done.magnitudes, strict=True):
                rows[tile.rows.start : tile.rows.stop] += along_rows
                columns[tile.columns.start : tile.columns.stop] += along_columns
        with tf.device(place):
            gradient = sheet.finished(None if whole else seam_correction(grid, rows, columns))
            gradient = rolled(gradient, (-roll[0], -roll[1]), panels)
        return gradient, self._means(weights, sums), float(rows.sum() / (picture.shape[0] * picture.shape[1] * 3))

    def crops(
        self,
        picture: Any,
        boxes: Sequence[Box],
        size: int,
        values: Sequence[float] = (),
        seed: tuple[int, int] = (0, 0),
        *,
        beside: Any = None,
    ) -> tuple[Any, np.ndarray, float]:
        """Evaluates windows of the picture; the energies look at the whole.

        Args:
            boxes: the windows, all of one size.
            size: height and width at which the network sees a window; it is resized, bilinearly, if it has others.

        Returns and raises as ``gradient`` does; the gradient is zero where no window lies and no energy slopes.
        """
        import numpy as np
        import tensorflow as tf

        place = home(picture.shape[0] * picture.shape[1])
        numbers = np.asarray(values, "float32"), np.asarray(seed, "int32")
        count, room = self.batch or max(1, BATCH_PIXELS // size**2), room_of(boxes[0], size)
        total, sums, magnitude = None, 0.0, np.inf
        try:
            with tf.device(place):
                canvas = tf.convert_to_tensor(picture)
                beside = tf.zeros((*canvas.shape[:2], 0)) if beside is None else tf.convert_to_tensor(beside)
            for start in range(0, len(boxes), count):
                some = boxes[start : start + count]
                share = len(some) / len(boxes)
                windows = np.array(some, "float32"), size, room, share
                slope, weights, inside = self._crops(canvas, beside, *windows, *numbers)
                with tf.device(place):
                    total = slope if total is None else total + slope
                weights, sums = weights.numpy(), sums + inside.numpy()
            magnitude = float(tf.reduce_mean(tf.abs(total)))
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise MemoryRanOutError(f"memory ran out: {error}".partition("\n")[0]) from None
        gradient = total.numpy() if on_host(place) else total
        return gradient, self._means(weights, sums), magnitude

    def _means(self, weights: np.ndarray, sums: Any) -> np.ndarray:
        """Each part's mean, from its terms' factors, sums and counts."""
        import numpy as np

        means = weights * sums[:, 0] / np.maximum(sums[:, 1], 1)
        return np.bincount(self._owners, means, len(self.score.objectives) + len(self.score.energies))

    def _each(
        self, evaluate: Callable[[list[Place]], Any], todo: list[list[Place]]
    ) -> Iterator[tuple[list[Place], Any]]:
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
        batch: list[Place],
        canvases: tuple[Any, Any],
        panels: Panels,
        place: str | None,
        numbers: tuple[Any, Any],
        sheet: HostSheet | DeviceSheet,
    ) -> Evaluated:
        """Evaluates one batch and puts its cores on the sheet."""
        import numpy as np
        import tensorflow as tf

        tiles = [tile for _, tile in batch]
        corners = np.array([(*_core(tile), tile.rows.view_start, tile.columns.view_start) for tile in tiles], "float32")
        sheet_shape = canvases[0].shape[:2]
        windows = panels.windows(sheet_shape)
        shape = np.array((*panels.of(sheet_shape), panels.count), "float32")
        try:
            with tf.device(place):
                views, beside = (_stacked(canvas, batch, windows) for canvas in canvases)
            tiled, weights, inside = self._step(views, beside, corners, shape, *numbers)
            with tf.device(place):
                places = enumerate(corners[:, :4].astype(int))
                cores = [tiled[i, top:bottom, left:right] for i, (top, bottom, left, right) in places]
                sizes = [tf.abs(core) for core in cores]
                sums = [(tf.reduce_sum(size, (1, 2)).numpy(), tf.reduce_sum(size, (0, 2)).numpy()) for size in sizes]
                for at, core in zip(batch, cores, strict=True):
                    sheet.put(at, core)
        except (tf.errors.ResourceExhaustedError, MemoryError) as error:
            raise MemoryRanOutError(f"memory ran out: {error}".partition("\n")[0]) from None
        return Evaluated(weights.numpy(), inside.numpy(), sums)

    def _trace(self, views: Any, beside: Any, places: Any, shape: Any, values: Any, seed: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        self.traces += 1  # runs when traced, not when called
        source, masks = self._split(beside)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(views)
            ones = tf.ones_like(places[:, :2])
            area = tf.reduce_prod(shape)
            seen = Views(views, source, masks, places[:, :4], places[:, 4:], ones, shape[:2], area, shape[2])
            total = added(self.score.of_objectives(seen, values, seed), self.score.of_energies(seen, values))
        return self._returned(total, tape.gradient(total.value, views, unconnected_gradients="zero"))

    def _trace_crops(
        self, canvas: Any, beside: Any, boxes: Any, size: Any, room: Any, share: Any, values: Any, seed: Any
    ) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        shape = tf.cast(tf.shape(canvas)[:2], tf.float32)
        count = tf.cast(tf.shape(boxes)[0], tf.float32)
        side = tf.cast(size, tf.float32)
        cores = tf.zeros_like(boxes) + tf.stack([0.0, side, 0.0, side])
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(canvas)
            source, masks = self._split(cropped(beside, boxes, size, room))
            seen = Views(
                cropped(canvas, boxes, size, room), source, masks, cores, boxes[:, :2], boxes[:, 2:] / side, shape,
                count * side * side, count,
            )  # fmt: skip
            pixels = canvas[None]
            source, masks = self._split(beside[None])
            around = tf.stack([0.0, shape[0], 0.0, shape[1]])[None]
            origin, ones, area = tf.zeros((1, 2)), tf.ones((1, 2)), shape[0] * shape[1]
            whole = Views(pixels, source, masks, around, origin, ones, shape, area, 1.0)
            total = added(self.score.of_objectives(seen, values, seed), self.score.of_energies(whole, values))
        return self._returned(total, share * tape.gradient(total.value, canvas, unconnected_gradients="zero"))

    def _split(self, beside: Any) -> tuple[Any, Any]:
        """Returns source and masks, as they lie beside the picture."""
        return (beside[..., :3], beside[..., 3:]) if self.sourced else (None, beside)

    def _returned(self, total: ScoreSums, gradient: Any) -> tuple[Any, Any, Any]:
        import tensorflow as tf

        self._owners = total.owners
        return gradient, tf.stack(total.weights), tf.stack(total.sums)


def room_of(box: Box, size: int) -> int:
    """Returns the side of what a window is made from that is seen ``size`` pixels high and wide."""
    side = max(box.height, box.width)
    return side + 2 * ceil((max(side / size, 1) + 1) / 2)


def cropped(canvas: Any, boxes: Any, size: Any, room: Any) -> Any:
    """Returns windows of a ``(height, width, channels)`` canvas as ``(n, size, size, channels)``, differentiable.

    Windows of other sides are resized with a triangle as wide as a pixel of the coarser of the two: bilinear, without
    aliasing. As products with the triangle's weights this is exact where nothing is resized, and has the same bits in
    every run. Only what a window is made from takes part: products with the whole canvas would take longer than the
    network does.

    Args:
        boxes: top, left, height, width of each window in pixels, ``(n, 4)`` float32, all of one size.
        room: side of what is cut out for each, ``room_of`` them.
    """
    import tensorflow as tf

    if canvas.shape[2] == 0:
        return tf.zeros([tf.shape(boxes)[0], size, size, 0])
    shape = tf.shape(canvas)
    positions = (tf.range(tf.cast(size, tf.float32)) + 0.5) / tf.cast(size, tf.float32)

    def seen(axis: int) -> tuple[Any, Any]:
        """The pixels along an axis that each window is made from, ``(n, room)``, and their weights in each of its."""
        start, side, last = boxes[:, axis, None], boxes[:, axis + 2, None], shape[axis] - 1
        pixels = tf.cast(start - (tf.cast(room, tf.float32) - side) / 2, tf.int32) + tf.range(room)
        centres = start + positions * side - 0.5
        reach = tf.maximum(side / tf.cast(size, tf.float32), 1.0)[..., None]
        tent = tf.maximum(0.0, 1.0 - tf.abs(centres[..., None] - tf.cast(pixels, tf.float32)[:, None]) / reach)
        tent *= tf.cast((pixels >= 0) & (pixels <= last), tf.float32)[:, None]
        return tf.clip_by_value(pixels, 0, last), tent / tf.reduce_sum(tent, axis=2, keepdims=True)

    (rows, down), (columns, across) = seen(0), seen(1)
    pixels = tf.reshape(canvas, (shape[0] * shape[1], canvas.shape[2]))
    cut_out = tf.gather(pixels, rows[:, :, None] * shape[1] + columns[:, None])
    return tf.einsum("njw,niwc->nijc", across, tf.einsum("nih,nhwc->niwc", down, cut_out))


def _stacked(canvas: Any, batch: list[Place], windows: Sequence[tuple[slice, slice]]) -> Any:
    """Returns the views of equally large tiles as one tensor; without a canvas they have no channels."""
    import tensorflow as tf

    if canvas is None:
        return tf.zeros((len(batch), 1, 1, 0))
    views = [tf.convert_to_tensor(cut(canvas[windows[panel]], tile)) for panel, tile in batch]
    return views[0][None] if len(views) == 1 else tf.stack(views)  # of arrays, it would take number by number


def _core(tile: Tile) -> tuple[int, int, int, int]:
    """Top, bottom, left, right of a tile's core within its view."""
    rows, columns = tile
    return (
        rows.start - rows.view_start,
        rows.stop - rows.view_start,
        columns.start - columns.view_start,
        columns.stop - columns.view_start,
    )
