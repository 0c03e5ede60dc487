"""The frame loop: dream the frames of a run one after another, and send each to the outputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from kerasdream import images
from kerasdream._memory import peak
from kerasdream.components import Postprocess
from kerasdream.config.sections import Frames
from kerasdream.events import Event, Finished, Result, Started
from kerasdream.images import Picture
from kerasdream.output_names import files_of, is_framed, of_frame
from kerasdream.plan.plan import Plan
from kerasdream.plugins.spec import PartSpec
from kerasdream.results.checkpoint import Checkpoint, Frame, RunState, discard
from kerasdream.results.finish import finish
from kerasdream.results.kept_frames import KeptFrames
from kerasdream.session.frames import following, picture_of, plan_of

if TYPE_CHECKING:
    from kerasdream.dreaming.loop import AscentResult, AscentState

Receiver = Callable[[Event], None]


class Ascend(Protocol):
    """Dreams one picture."""

    def __call__(
        self,
        picture: Picture,
        plan: Plan,
        *,
        start: AscentState | None,
        save: Callable[[AscentState], None],
        on_event: Receiver,
    ) -> AscentResult:
        """Dream a picture; see ``kerasdream.dreaming.loop.ascend``."""


class Target(NamedTuple):
    """An output and its path, with ``{frame}`` left in it."""

    output: PartSpec
    path: Path


@dataclass(frozen=True)
class _Dreamed:
    """A dreamed frame.

    Attributes:
        source: the picture it was dreamed from.
        pixels: the dream, not postprocessed.
        views: side of the largest views, if memory ran out.
    """

    frame: Frame
    source: Picture
    pixels: np.ndarray
    views: int | None
    ascent: AscentResult


@dataclass(frozen=True)
class FrameLoop:
    """Dreams the frames of one run.

    Attributes:
        photo: what the first frame is dreamed from.
        plan: of a frame.
        settings: how many frames there are, and how each is moved.
        manifest: of every frame.
        targets: where the run writes; none: nothing is written.
        checkpoint: where the state of the run is saved, if anywhere.
        ascend: dreams one picture.
        postprocess: the steps that finish a frame.
        on_event: called with every event.
        began, load: when the run began (``time.perf_counter``), and the seconds before its first frame.
    """

    photo: Picture
    plan: Plan
    settings: Frames
    manifest: Mapping[str, Any]
    targets: Sequence[Target]
    checkpoint: Checkpoint | None
    ascend: Ascend
    postprocess: Sequence[Postprocess]
    on_event: Receiver
    began: float
    load: float

    def run(self, state: RunState) -> Result:
        """Dream and write the frames that are not finished; return the last one. Ctrl-C ends the run early.

        Args:
            state: where to start.
        """
        frame, start = state.frame, state.ascent
        framed = [target for target in self.targets if is_framed(target.path)]
        whole = [target for target in self.targets if not is_framed(target.path)]
        kept = KeptFrames(self.targets[0].path) if whole and self.settings.count > 1 else None
        with _opened(whole) as send_whole:
            if kept:
                for number in range(frame.number):
                    send_whole(Finished(kept.read(number), number, self.settings.count))
            while True:
                paths = [target._replace(path=self._file(target, frame)) for target in framed]
                with _opened(paths) as send_framed:
                    on_event = _all(send_whole, send_framed, self.on_event)
                    dreamed = self._dream(frame, start, on_event)
                    result = self._result(dreamed)
                    on_event(Finished(result, frame.number, self.settings.count))
                if self._is_last(dreamed):
                    break
                if kept:
                    kept.keep(frame.number, result)
                frame = following(frame, dreamed.pixels, dreamed.source.alpha, dreamed.views, self.settings)
                start = None
                if self.checkpoint:
                    self.checkpoint.save(RunState(frame))
        if self.targets and not result.interrupted:
            discard(self.targets[0].path)
        files = [files_of(target.path, self.settings.count)[: frame.number + 1] for target in self.targets]
        return replace(result, paths=tuple(path for each in files for path in each))

    def _dream(self, frame: Frame, start: AscentState | None, on_event: Receiver) -> _Dreamed:
        """Dream one frame, from ``start`` if it was begun before; save its state if it is interrupted."""
        source, plan = picture_of(frame, self.photo), plan_of(frame, self.plan)
        octave, step = (start.octave, start.step) if start else (0, 0)
        on_event(Started(self.photo.name, plan, octave, step, frame.number, self.settings.count))
        save = partial(self.checkpoint.keep, frame) if self.checkpoint else lambda ascent: None
        ascent = self.ascend(source, plan, start=start, save=save, on_event=on_event)
        if ascent.interrupted:
            if not frame.number and not ascent.scores:
                raise KeyboardInterrupt
            if self.checkpoint:
                self.checkpoint.save(RunState(frame, ascent.point))
        pixels = source.pixels if ascent.picture is None else ascent.picture
        if self.settings.anchor and frame.colors is not None:
            pixels = images.with_mean_spread(pixels, frame.colors)
        return _Dreamed(frame, source, pixels, (ascent.point and ascent.point.views) or frame.views, ascent)

    def _result(self, dreamed: _Dreamed) -> Result:
        """Finish a frame."""
        frame, ascent = dreamed.frame, dreamed.ascent
        pulls = ascent.attribution
        if pulls is None and ascent.interrupted:  # before the frame's first step
            pulls = np.zeros(dreamed.pixels.shape[:2], "float32")
        made = finish(dreamed.pixels, dreamed.source, self.postprocess, pulls)
        facts = {
            "frame": frame.number + 1 if self.settings.count > 1 else None,
            "interrupted": ascent.interrupted,
            "memory_ran_out": {"views": dreamed.views} if dreamed.views else None,
            "prior_units": [unit for unit, *_ in ascent.units] if any(unit != 1.0 for unit, *_ in ascent.units) else [],
            "objective_units": [list(units) for _, *units in ascent.units if units],
        }
        written = [target for target in self.targets if self._is_last(dreamed) or is_framed(target.path)]
        return Result(
            **made._asdict(),
            scores=ascent.scores,
            timings={"load": self.load, **ascent.timings, "total": time.perf_counter() - self.began},
            manifest={**self.manifest, **{name: fact for name, fact in facts.items() if fact}},
            name=self.photo.name,
            paths=tuple(self._file(target, frame) for target in written),
            interrupted=ascent.interrupted,
            peak_memory=peak(),
            notes=(*self.photo.notes, *self.plan.notes, *ascent.notes),
            dpi=self.photo.dpi,
            source=self.photo.stored,
        )

    def _is_last(self, dreamed: _Dreamed) -> bool:
        return dreamed.ascent.interrupted or dreamed.frame.number == self.settings.count - 1

    def _file(self, target: Target, frame: Frame) -> Path:
        return of_frame(target.path, frame.number, self.settings.count)


def _all(*receivers: Receiver) -> Receiver:
    """Return a function that sends an event to all receivers."""

    def on_event(event: Event) -> None:
        for receive in receivers:
            receive(event)

    return on_event


@contextmanager
def _opened(targets: Sequence[Target]) -> Iterator[Receiver]:
    """Open outputs at their files; yield a function that sends an event to all of them."""
    with ExitStack() as stack:
        receivers = []
        for output, path in targets:
            with output.attributed():
                receivers.append((output, stack.enter_context(output.make().open(path))))

        def on_event(event: Event) -> None:
            for output, receive in receivers:
                with output.attributed():
                    receive(event)

        yield on_event
