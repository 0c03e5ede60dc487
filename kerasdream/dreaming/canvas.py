"""How a canvas grows: what an octave begins with, and what a step makes of it; for one picture, or a sheet of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from kerasdream.engine.canvas import aligned
from kerasdream.images import Scaled, resize
from kerasdream.plan.panels import SINGLE, Panels
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.engine.chain import Chain
    from kerasdream.engine.decoding import Decoding

Window = tuple[slice, slice]
"""Rows and columns of a picture."""


class CanvasState(NamedTuple):
    """What a canvas has become.

    Attributes:
        state: the parametrization's; where that is the picture itself, the canvas. Of a sheet, that of each panel.
        memory: that of each ascent rule, None before an octave's first step. Of a sheet, that of each panel.
        canvas: ``(height, width, 3)`` float32 in [-1, 1], array or tensor.
    """

    state: Any
    memory: Any
    canvas: Any


class Canvas:
    """The canvas of one picture.

    Args:
        source: ``(height, width, 3)``: uint8 levels or float32 in [-1, 1].
        init: of the parametrization: from a picture and a seed to a state.
        decoding: from a state to the picture; None: the state is the picture.
        chain: the ascent rules.
        projections: what is applied to the picture after each step.
        detail: at each octave go on from the source at that size plus the enlarged dreamed detail.
    """

    def __init__(
        self,
        source: np.ndarray,
        init: Callable[[np.ndarray, int], Any],
        decoding: Decoding | None,
        chain: Chain,
        projections: Sequence[PartSpec],
        detail: bool,
    ) -> None:
        self.photo, self.init, self.decoding, self.chain = Scaled(source), init, decoding, chain
        self.projections, self.detail = projections, detail

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        """Returns the source at a size; not to be changed."""
        return self.photo.resized(shape)

    def upscale(self, shape: tuple[int, int], below: np.ndarray | None) -> np.ndarray:
        """Returns the canvas at a size, given that of the octave below; None: there is none."""
        import numpy as np

        if below is None:
            canvas = self.photo.resized(shape)
        else:
            canvas = resize(below - self.photo.resized(below.shape[:2]) if self.detail else below, shape)
            if self.detail:
                canvas += self.photo.resized(shape)
        return np.clip(canvas, -1, 1, out=aligned((*shape, 3)))

    def start_octave(self, shape: tuple[int, int], below: np.ndarray | None, seed: int) -> CanvasState:
        """Returns what an octave begins with."""
        canvas = self.upscale(shape, below)
        state = self.init(canvas, seed)
        return CanvasState(state, None, canvas if self.decoding is None else self.decoding.picture(state, shape))

    def step(self, now: CanvasState, gradient: Any, progress: Progress, window: Window | None = None) -> CanvasState:
        """Takes a step uphill.

        Args:
            gradient: of the score with respect to the picture.
            window: what was looked at; None: all. Where the picture is its own state, chain and projections are those
                of the window: what was not looked at stays as it is.
        """
        state, memory = self.chain.step(now.state, now.memory, gradient, progress, window)
        canvas = state if self.decoding is None else self.decoding.picture(state, gradient.shape[:2])
        if self.projections:
            state = canvas = self._projected(canvas, progress, window)
        return CanvasState(state, memory, canvas)

    def _projected(self, canvas: Any, progress: Progress, window: Window | None) -> np.ndarray:
        """Applies the projections to a window of the canvas, or to all of it."""
        import numpy as np

        whole = np.array(canvas)
        seen = whole if window is None else whole[window]
        for entry in self.projections:
            seen = np.clip(entry.make(entry.values_at(progress)).apply(seen), -1, 1)
        if window is None:
            return seen
        whole[window] = seen
        return whole


class SheetCanvas:
    """The canvas of several pictures, each of which grows as if it were alone; they share nothing but the gradient.

    Args:
        source: the sheet.
        panels: how the pictures lie on it.
        how: what ``Canvas`` is given besides its source.
    """

    def __init__(self, source: np.ndarray, panels: Panels, *how: Any) -> None:
        self.panels = panels
        self.pictures = [Canvas(source[window], *how) for window in panels.windows(source.shape[:2])]

    def resized(self, shape: tuple[int, int]) -> np.ndarray:
        """Returns the source at a size of the sheet."""
        return self._joined(shape, [picture.resized(self.panels.of(shape)) for picture in self.pictures])

    def upscale(self, shape: tuple[int, int], below: np.ndarray | None) -> np.ndarray:
        """Returns the sheet at a size, given that of the octave below; None: there is none."""
        panel = self.panels.of(shape)
        parts = zip(self.pictures, self._parts(below), strict=True)
        return self._joined(shape, [picture.upscale(panel, part) for picture, part in parts])

    def start_octave(self, shape: tuple[int, int], below: np.ndarray | None, seed: int) -> CanvasState:
        """Returns what an octave begins with. Each panel has a seed of its own."""
        panel = self.panels.of(shape)
        parts = enumerate(zip(self.pictures, self._parts(below), strict=True))
        return self._together(shape, [picture.start_octave(panel, part, seed + i) for i, (picture, part) in parts])

    def step(self, now: CanvasState, gradient: Any, progress: Progress, window: None = None) -> CanvasState:
        """Takes a step uphill."""
        memories = now.memory or [None] * self.panels.count
        each = zip(now.state, memories, self._parts(now.canvas), strict=True)
        parts = zip(self.pictures, map(CanvasState._make, each), self._parts(gradient), strict=True)
        return self._together(gradient.shape[:2], [picture.step(part, up, progress) for picture, part, up in parts])

    def _parts(self, sheet: Any) -> list[Any]:
        """Returns each panel's part of a sheet, if there is one."""
        import numpy as np

        if sheet is None:
            return [None] * self.panels.count
        return [np.ascontiguousarray(sheet[window]) for window in self.panels.windows(sheet.shape[:2])]

    def _together(self, shape: tuple[int, int], grown: Sequence[CanvasState]) -> CanvasState:
        states, memories, canvases = zip(*grown, strict=True)
        return CanvasState(list(states), list(memories), self._joined(shape, canvases))

    def _joined(self, shape: tuple[int, int], pictures: Sequence[Any]) -> np.ndarray:
        import numpy as np

        sheet = np.empty((*shape, 3), "float32")
        for window, picture in zip(self.panels.windows(shape), pictures, strict=True):
            sheet[window] = picture
        return sheet


def make_canvas(source: np.ndarray, panels: Panels, *how: Any) -> Canvas | SheetCanvas:
    """Returns the canvas of a picture or a sheet; ``how`` is what ``Canvas`` is given besides its source."""
    return Canvas(source, *how) if panels == SINGLE else SheetCanvas(source, panels, *how)
