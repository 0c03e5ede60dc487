"""Pictures that grow out of one another: each frame is the dream of the last one, moved. A picture is a run of one.

The zoom that feeds on itself (Mordvintsev, Olah, Tyka 2015: 100 frames, each enlarged by 5 % with linear interpolation
and dreamed again). From frame to frame the picture stays in float: it is rounded only into files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kerasdream import images
from kerasdream._memory import peak
from kerasdream.config.sections import Frames
from kerasdream.errors import ImageError
from kerasdream.events import Event, Finished, Result, Started
from kerasdream.images import Picture
from kerasdream.output_names import files_of, is_framed, of_frame
from kerasdream.plan.plan import Plan
from kerasdream.plugins.spec import PartSpec
from kerasdream.results.checkpoint import Checkpoint, KeptFrames, discard
from kerasdream.results.finish import finish, finished_shape

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.dreaming.loop import AscentState
    from kerasdream.session.session import Session


@dataclass(frozen=True)
class Frame:
    """One frame, not dreamed yet: with its point in the ascent, all that a run needs to go on. Its arrays never change.

    Attributes:
        number: which one, from 0.
        pixels: what is dreamed, ``(height, width, 3)`` float32 in [-1, 1]; None: the photo itself.
        alpha: ``(height, width)`` float32 in [0, 1], or None.
        views: the side of the largest views, where memory ran out in an earlier frame.
        colors: mean and spread of each channel of the first frame's dream, ``(2, 3)``; None before.
    """

    number: int = 0
    pixels: np.ndarray | None = None
    alpha: np.ndarray | None = None
    views: int | None = None
    colors: np.ndarray | None = None

    def of(self, photo: Picture) -> Picture:
        """The frame as a picture."""
        return photo if self.pixels is None else replace(photo, stored=self.pixels, alpha=self.alpha)

    def plan(self, plan: Plan) -> Plan:
        """The plan of a run as that of this frame, whose random numbers are its own."""
        plan = replace(plan, seed=frame_seed(plan.seed, self.number))
        return plan.with_views(self.views) if self.views else plan

    def next(self, dreamed: np.ndarray, alpha: np.ndarray | None, views: int | None, settings: Frames) -> Frame:
        """The frame after this one, given what became of it."""
        colors = images.mean_spread(dreamed) if self.colors is None else self.colors
        alpha = None if alpha is None else moved(alpha, settings)
        return Frame(self.number + 1, moved(dreamed, settings), alpha, views, colors)


def frame_seed(seed: int, number: int) -> int:
    """The seed of one frame: the first has the run's."""
    import numpy as np

    return seed if number == 0 else int(np.random.SeedSequence([seed, number, 2]).generate_state(1)[0])


def moved(array: np.ndarray, settings: Frames) -> np.ndarray:
    """Returns a picture zoomed, turned and shifted by one frame, in float, with linear interpolation.

    Args:
        array: ``(height, width)`` or ``(height, width, 3)``. What comes in from beyond its edges is mirrored.
    """
    import numpy as np
    from scipy.ndimage import affine_transform

    size = np.array(array.shape[:2])
    center = (size - 1) / 2
    cosine, sine = np.cos(np.radians(settings.rotate)), np.sin(np.radians(settings.rotate))
    back = np.array([[cosine, sine], [-sine, cosine]]) / settings.zoom  # from a place in the new picture to the old
    offset = center - back @ (center + settings.shift * size)
    result = np.empty_like(array)
    for channel in np.ndindex(array.shape[2:]):
        affine_transform(array[(..., *channel)], back, offset, order=1, mode="mirror", output=result[(..., *channel)])
    return result


class FrameLoop:
    """The frames of one run, made one after the other.

    Args:
        photo: what the first frame is dreamed from.
        targets: a path for each of the session's outputs, ``{frame}`` left in it; none: nothing is written.

    Raises:
        OutputError: when resuming: the saved state is damaged, or that of another run.
    """

    def __init__(self, session: Session, photo: Picture, targets: Sequence[Path]) -> None:
        self.session, self.photo, self.targets = session, photo, targets
        self.settings, self.count = session.config.frames, session.config.frames.count
        self.began = time.perf_counter()
        self.steps = [entry.make() for entry in session.config.postprocess]
        finished_shape(self.steps, photo.stored.shape[:2])
        try:
            self.plan = session.plan(photo.stored.shape[:2])
        except ImageError as error:
            raise ImageError(f"{photo.name}: {error}") from None
        self.loaded = time.perf_counter() - self.began
        self.manifest = session.manifest(photo, self.plan)
        self.saved = Checkpoint(targets[0], self.manifest, self.plan) if targets else None

    def run(self) -> Result:
        """Makes and writes the frames that are not made yet; returns the last one. Ctrl-C ends it early."""
        start = self.saved.restore() if self.saved and self.session.resume else None
        frame = Frame(**self.saved.frame) if self.saved else Frame()
        outputs = list(zip(self.session.config.outputs, self.targets, strict=False))
        framed, whole = ([(e, path) for e, path in outputs if is_framed(path) is one] for one in (True, False))
        kept = KeptFrames(self.targets[0]) if whole and self.count > 1 else None
        with _opened(whole) as on_event_whole:
            for number in range(frame.number) if kept else ():
                on_event_whole(Finished(kept.read(number), number, self.count))
            while True:
                files = [(entry, of_frame(path, frame.number, self.count)) for entry, path in framed]
                with _opened(files) as on_event_framed:
                    result, following = self.dream(
                        frame, start, (on_event_whole, on_event_framed, self.session.on_event)
                    )
                if following is None:
                    break
                if kept:
                    kept.keep(frame.number, result)
                frame, start = following, None
                self.save(frame)
        if self.saved and not result.interrupted:
            discard(self.targets[0])
        files = [file for path in self.targets for file in files_of(path, self.count)[: frame.number + 1]]
        return replace(result, paths=tuple(files))

    def dream(
        self, frame: Frame, start: AscentState | None, receivers: Sequence[Callable[[Event], None]]
    ) -> tuple[Result, Frame | None]:
        """Dreams one frame, from ``start`` if it was begun before; returns it, and the one to dream next."""

        def on_event(event: Event) -> None:
            for receive in receivers:
                receive(event)

        number, picture, plan = frame.number, frame.of(self.photo), frame.plan(self.plan)
        if self.saved:
            self.saved.frame = vars(frame)
        octave, step = (start.octave, start.step) if start else (0, 0)
        on_event(Started(self.photo.name, plan, octave, step, number, self.count))
        ascent = self.session.ascend(picture, plan, start, self.saved.keep if self.saved else None, on_event)
        if ascent.interrupted:
            if not number and not ascent.scores:
                raise KeyboardInterrupt
            if self.saved:
                self.saved.save(ascent.point)
        last = ascent.interrupted or number == self.count - 1
        views = (ascent.point and ascent.point.views) or frame.views
        dreamed = picture.pixels if ascent.picture is None else ascent.picture
        if self.settings.anchor and frame.colors is not None:
            dreamed = images.with_mean_spread(dreamed, frame.colors)
        image, alpha = finish(dreamed, picture, self.steps)
        facts = {
            "frame": number + 1 if self.count > 1 else None,
            "interrupted": ascent.interrupted,
            "memory_ran_out": {"views": views} if views else None,
        }
        result = Result(
            image=image,
            alpha=alpha,
            scores=ascent.scores,
            timings={"load": self.loaded, **ascent.timings, "total": time.perf_counter() - self.began},
            manifest={**self.manifest, **{name: fact for name, fact in facts.items() if fact}},
            name=self.photo.name,
            paths=tuple(of_frame(path, number, self.count) for path in self.targets if last or is_framed(path)),
            interrupted=ascent.interrupted,
            peak_memory=peak(),
            notes=(*self.photo.notes, *self.plan.notes, *ascent.notes),
        )
        on_event(Finished(result, number, self.count))
        return result, None if last else frame.next(dreamed, picture.alpha, views, self.settings)

    def save(self, frame: Frame) -> None:
        """Saves a frame that is to be dreamed next."""
        if self.saved:
            self.saved.frame = vars(frame)
            self.saved.save(None)


@contextmanager
def _opened(outputs: Sequence[tuple[PartSpec, Path]]) -> Iterator[Callable[[Event], None]]:
    """Opens outputs at their files, and gives the function that tells all of them an event."""
    with ExitStack() as stack:
        receivers = []
        for entry, path in outputs:
            with entry.attributed():
                receivers.append((entry, stack.enter_context(entry.make().open(path))))

        def on_event(event: Event) -> None:
            for entry, receive in receivers:
                with entry.attributed():
                    receive(event)

        yield on_event
