"""The canvas of an ascent, of one picture or a sheet of several: its state when an octave starts, and after a step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from kerasdream.engine.canvas import aligned
from kerasdream.images import Scaled, resize
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    from kerasdream.engine.chain import Chain
    from kerasdream.engine.decoding import Decoding

Window = tuple[slice, slice]
"""Rows and columns of a picture."""


class CanvasState(NamedTuple):
    """State of a canvas after a step.

    Attributes:
        state: the parametrization's state, which may be the picture itself. Of a sheet, a list with one for each panel.
        memory: of each ascent rule, None before an octave's first step. Of a sheet, a list with one for each panel.
        canvas: ``(height, width, 3)`` float32 in [-1, 1], array or tensor.
    """

    state: Any
    memory: Any
    canvas: Any


class Canvas(Protocol):
    """The canvas of a picture, or of several on one sheet."""

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        """Return the source resized to ``shape`` (read-only)."""

    def upscale(self, shape: tuple[int, int], below: np.ndarray | None) -> np.ndarray:
        """Return the canvas at a size, given the canvas of the octave below, if there is one."""

    def start_octave(self, shape: tuple[int, int], below: np.ndarray | None, seed: int) -> CanvasState:
        """Return the state at the start of an octave, given the canvas of the octave below, if there is one."""

    def step(self, now: CanvasState, gradient: Any, progress: Progress, window: Window | None = None) -> CanvasState:
        """Take an ascent step.

        Args:
            gradient: of the score with respect to the picture.
            window: the rows and columns that were evaluated; None: all. If the picture is its own state, rules and
                projections are applied to the window alone, and the rest is kept.
        """


class PictureCanvas:
    """The canvas of one picture.

    Args:
        source: ``(height, width, 3)``: uint8 levels or float32 in [-1, 1].
        init: the parametrization's, from a picture and a seed to a state.
        decoding: from a state to the picture; None if the state is the picture.
        chain: the ascent rules.
        projections: applied to the picture after each step.
        detail: start each octave from the source at that size plus the upscaled dreamed detail.
    """

    def __init__(
        self,
        source: np.ndarray,
        *,
        init: Callable[[np.ndarray, int], Any],
        decoding: Decoding | None,
        chain: Chain,
        projections: Sequence[PartSpec],
        detail: bool,
    ) -> None:
        self.photo, self.init, self.decoding, self.chain = Scaled(source), init, decoding, chain
        self.projections, self.detail = projections, detail

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        return self.photo.resized(shape)

    def upscale(self, shape: tuple[int, int], below: np.ndarray | None) -> np.ndarray:
        if below is None:
            canvas = self.photo.resized(shape)
        else:
            canvas = resize(below - self.photo.resized(below.shape[:2]) if self.detail else below, shape)
            if self.detail:
                canvas += self.photo.resized(shape)
        return np.clip(canvas, -1, 1, out=aligned((*shape, 3)))

    def start_octave(self, shape: tuple[int, int], below: np.ndarray | None, seed: int) -> CanvasState:
        canvas = self.upscale(shape, below)
        state = self.init(canvas, seed)
        return CanvasState(state, None, canvas if self.decoding is None else self.decoding.picture(state, shape))

    def step(self, now: CanvasState, gradient: Any, progress: Progress, window: Window | None = None) -> CanvasState:
        state, memory = self.chain.step(now.state, now.memory, gradient, progress, window)
        canvas = state if self.decoding is None else self.decoding.picture(state, gradient.shape[:2])
        if self.projections:
            state = canvas = self._projected(canvas, progress, window)
        return CanvasState(state, memory, canvas)

    def _projected(self, canvas: Any, progress: Progress, window: Window | None) -> np.ndarray:
        """Apply the projections to a window of the canvas, or to all of it."""
        whole = np.array(canvas)
        seen = whole if window is None else whole[window]
        for spec in self.projections:
            seen = np.clip(spec.make(spec.values_at(progress)).apply(seen), -1, 1)
        if window is None:
            return seen
        whole[window] = seen
        return whole


class SheetCanvas:
    """The canvas of several pictures, each stepped as if it were alone; only the gradient sees them together.

    Args:
        panels: how the pictures are arranged on the sheet.
        pictures: their canvases, row by row.
    """

    def __init__(self, panels: Panels, pictures: Sequence[PictureCanvas]) -> None:
        self.panels, self.pictures = panels, pictures

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        panel = self.panels.of(shape)
        return self._joined(shape, [picture.resized(panel) for picture in self.pictures])

    def upscale(self, shape: tuple[int, int], below: np.ndarray | None) -> np.ndarray:
        panel = self.panels.of(shape)
        parts = zip(self.pictures, self._parts(below), strict=True)
        return self._joined(shape, [picture.upscale(panel, part) for picture, part in parts])

    def start_octave(self, shape: tuple[int, int], below: np.ndarray | None, seed: int) -> CanvasState:
        panel = self.panels.of(shape)
        parts = enumerate(zip(self.pictures, self._parts(below), strict=True))  # each panel has its own seed
        return self._together(shape, [picture.start_octave(panel, part, seed + i) for i, (picture, part) in parts])

    def step(self, now: CanvasState, gradient: Any, progress: Progress, window: Window | None = None) -> CanvasState:
        assert window is None  # a run has either panels or crops
        memories = now.memory or [None] * self.panels.number
        parts = zip(self.pictures, now.state, memories, self._parts(now.canvas), self._parts(gradient), strict=True)
        return self._together(
            gradient.shape[:2],
            [
                picture.step(CanvasState(state, memory, canvas), up, progress)
                for picture, state, memory, canvas, up in parts
            ],
        )

    def _parts(self, sheet: Any) -> list[Any]:
        """Return each panel's part of a sheet, or of no sheet."""
        if sheet is None:
            return [None] * self.panels.number
        return [np.ascontiguousarray(sheet[window]) for window in self.panels.windows(sheet.shape[:2])]

    def _together(self, shape: tuple[int, int], states: Sequence[CanvasState]) -> CanvasState:
        return CanvasState(
            [one.state for one in states],
            [one.memory for one in states],
            self._joined(shape, [one.canvas for one in states]),
        )

    def _joined(self, shape: tuple[int, int], pictures: Sequence[Any]) -> np.ndarray:
        sheet = np.empty((*shape, 3), "float32")
        for window, picture in zip(self.panels.windows(shape), pictures, strict=True):
            sheet[window] = picture
        return sheet


def make_canvas(
    source: np.ndarray,
    panels: Panels,
    *,
    init: Callable[[np.ndarray, int], Any],
    decoding: Decoding | None,
    chain: Chain,
    projections: Sequence[PartSpec] = (),
    detail: bool = True,
) -> Canvas:
    """Return the canvas of a picture, or of the panels of a sheet; the arguments are those of ``PictureCanvas``."""

    def canvas_of(picture: np.ndarray) -> PictureCanvas:
        return PictureCanvas(picture, init=init, decoding=decoding, chain=chain, projections=projections, detail=detail)

    if panels == SINGLE:
        return canvas_of(source)
    return SheetCanvas(panels, [canvas_of(source[window]) for window in panels.windows(source.shape[:2])])
