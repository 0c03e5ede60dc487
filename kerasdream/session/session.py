"""Run a config: build the network once, then dream each picture and write its outputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING

from kerasdream.components import Projection
from kerasdream.config.sections import NOISE
from kerasdream.engine.loading import tensorflow, usual_keras
from kerasdream.errors import ImageError, ModelEntryError, OneSizeError
from kerasdream.events import Event, Finished, Result
from kerasdream.images import Picture
from kerasdream.plan.plan import Plan
from kerasdream.results.checkpoint import Checkpoint, RunState
from kerasdream.results.finish import finish, finished_shape
from kerasdream.results.manifest import Provenance
from kerasdream.results.targets import Targets
from kerasdream.session import sources
from kerasdream.session.planner import NetworkFacts, cutting_of, network_of, plan_run
from kerasdream.session.reel import FrameLoop, Target

if TYPE_CHECKING:
    from kerasdream.components import Network
    from kerasdream.config.run_config import RunConfig
    from kerasdream.dreaming.loop import AscentResult, AscentState
    from kerasdream.dreaming.step import GradientStep
    from kerasdream.models.extractor import Extractor


class Session:
    """A run whose network is built once, when it is first needed, for any number of pictures.

    Args:
        config: the validated run.
        folder: where outputs go; by default the run file's folder.
        beside: whether they go next to each picture instead, unless a folder is given.
        overwrite: whether existing outputs are replaced.
        resume: whether to continue an earlier run of the same config: unfinished pictures from their checkpoint;
            finished ones are left alone.
        on_event: called with every event.
        network: the network, if it is already built.
        attributed: whether results have an ``attribution`` even if no part of the run needs it.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        folder: Path | None = None,
        beside: bool = False,
        overwrite: bool = False,
        resume: bool = False,
        on_event: Callable[[Event], None] = lambda event: None,
        network: Network | None = None,
        attributed: bool = False,
    ) -> None:
        self.config, self.resume, self.on_event = config, resume, on_event
        folder = folder or (None if beside else config.base)
        self.files = Targets(config, folder, overwrite=overwrite, resume=resume)
        self.provenance = Provenance(config)
        self._network, self._attributed = network, attributed

    def sources(self) -> list[str]:
        """Return the pictures of this run: paths, or ``noise``.

        Raises:
            ImageError: a glob or folder has no pictures.
        """
        return sources.find(self.config, lambda photo: self.files.files(self.files.paths(photo)))

    @cached_property
    def left_out(self) -> list[str]:
        """What the user should hear about photos in the folders of this run that cannot be read."""
        return sources.left_out(self.config)

    def notes(self, found: Sequence[str]) -> tuple[list[str], list[str]]:
        """Return what the user should hear about a run of these pictures, and the notes of pictures that it sums up."""
        shrunk = sources.all_shrinking(self.config, found)
        summary = [*self.config.notes, *self.left_out, *sources.in_one_line(shrunk, self.config)]
        return summary, list(shrunk.values())

    def targets(self, source: str) -> list[Path]:
        """Return the path of each output of a picture, ``{frame}`` left in it, after checking that it may be written.

        Raises:
            OutputError: it may not; see ``kerasdream.results.targets``.
        """
        return self.files.reserve(source)

    def picture(self, source: str) -> Picture:
        """Read a picture, or draw noise.

        Raises:
            ImageError: the file is missing, or is not a picture.
        """
        picture = sources.read(self.config, source)
        return replace(picture, notes=(*self.left_out, *picture.notes))

    def finished(self, picture: Picture, targets: Sequence[Path]) -> Result | None:
        """When resuming, return the result of a picture that is already finished, and report it; otherwise None.

        Raises:
            OutputError: an existing output is a different picture, and may not be overwritten.
        """
        if not self.resume or not targets:
            return None
        result = self.files.finished(targets, self.provenance.requested(picture), picture.name)
        if result is not None:
            self.on_event(Finished(result))
        return result

    @cached_property
    def network(self) -> Network:
        """The network, built and loaded, without TensorFlow's start-up messages."""
        tensorflow()
        return network_of(self.config) if self._network is None else self._network

    @cached_property
    def seen(self) -> tuple[RunConfig, Extractor]:
        """The run with ``views: auto`` decided, and the network rebuilt up to the layers the objectives look at.

        Raises:
            OneSizeError: the network needs crops, and the run wants tiles.
        """
        from kerasdream.dreaming.parts import Parts, extractor_for

        config, parts, network = self.config, Parts.from_specs(self.config.objectives), self.network
        rebuild = partial(extractor_for, network, parts, precision=config.engine.precision)
        try:
            return config, rebuild(crops=config.crops_for(network.side))
        except ModelEntryError as error:
            raise ModelEntryError(config.model.located(str(error))) from error
        except OneSizeError:
            if config.views != "auto" or config.cropped:
                raise
        config = config.looking_at_crops()
        return config, rebuild(crops=config.crops_for(network.side))

    @cached_property
    def facts(self) -> NetworkFacts:
        """What planning must know about the network."""
        from kerasdream.models.extractor import geometry_of

        config, extractor = self.seen
        network, geometry, notes = self.network, geometry_of(extractor), (*self.network.notes, *extractor.notes)
        return NetworkFacts(network.name, network.side, geometry, notes, config.cropped)

    @cached_property
    def step(self) -> GradientStep:
        """The gradient step, built; it is traced when first called."""
        from kerasdream.dreaming.step import GradientStep

        config, extractor = self.seen
        return GradientStep(
            self.network,
            config.objectives,
            [entry for entry in config.priors if not isinstance(entry.make(), Projection)],
            config.transforms,
            batch=None if config.tiles.batch == "auto" else config.tiles.batch,
            jit=config.engine.jit == "on",
            crops=config.crops_for(self.network.side),
            seed=config.seed,
            attributed=self._attributed
            or any(entry.make().attributed for entry in (*config.postprocess, *config.outputs)),
            cutting=cutting_of(config, self.facts),
            extractor=extractor,
        )

    def _begun(self, picture: Picture) -> Picture:
        """Return a picture as a dream starts from it: noise is grey for a network that sees no colours."""
        if picture.name != NOISE or not self.seen[1].grey:
            return picture
        grey = picture.stored[..., :1].repeat(3, axis=2)
        return replace(picture, stored=grey)

    def plan(self, shape: tuple[int, int]) -> Plan:
        """Return the plan for a picture of this (height, width)."""
        return plan_run(self.config, self.facts, shape)

    @usual_keras()
    def rehearse(self, picture: Picture) -> None:
        """Take one step of a dream at its smallest size and finish it, to find what is wrong before it matters.

        Raises:
            KerasdreamError: whatever ``dream`` would raise early.
        """
        shape = (picture.stored.shape[0], picture.stored.shape[1])
        postprocess = [entry.make() for entry in self.config.postprocess]
        finished_shape(postprocess, shape)
        plan = self.plan(shape)
        short = replace(plan, sizes=plan.sizes[:1], octave_steps=(1,))
        nothing: Callable[[object], None] = lambda anything: None  # noqa: E731
        ascent = _ascend(self.config, self.step, picture, short, start=None, save=nothing, on_event=nothing)
        if ascent.interrupted or ascent.picture is None:
            raise KeyboardInterrupt
        finish(ascent.picture, picture, postprocess, ascent.attribution)

    @usual_keras()
    def dream(self, picture: Picture, targets: Sequence[Path] = ()) -> Result:
        """Dream one picture, or the frames that start from it, and write it to ``targets``, one for each output.

        With targets, its state is saved next to the first one until it is finished.

        Raises:
            OutputError: when resuming: the checkpoint is damaged, or belongs to a different run.
        """
        began = time.perf_counter()
        picture = self._begun(picture)
        postprocess = [entry.make() for entry in self.config.postprocess]
        shape = (picture.stored.shape[0], picture.stored.shape[1])
        finished_shape(postprocess, shape)
        try:
            plan = self.plan(shape)
        except ImageError as error:
            raise ImageError(f"{picture.name}: {error}") from None
        ascend = partial(_ascend, self.config, self.step)  # builds the step, which counts as loading
        manifest = self.provenance.manifest(picture, plan)
        load = time.perf_counter() - began
        checkpoint = Checkpoint(targets[0], manifest, plan) if targets else None
        restored = checkpoint.restore() if checkpoint and self.resume else None
        loop = FrameLoop(
            photo=picture,
            plan=plan,
            settings=self.config.frames,
            manifest=manifest,
            targets=[Target(*pair) for pair in zip(self.config.outputs, targets, strict=False)],
            checkpoint=checkpoint,
            ascend=ascend,
            postprocess=postprocess,
            on_event=self.on_event,
            began=began,
            load=load,
        )
        return loop.run(restored or RunState())


def _ascend(
    config: RunConfig,
    step: GradientStep,
    picture: Picture,
    plan: Plan,
    *,
    start: AscentState | None,
    save: Callable[[AscentState], None],
    on_event: Callable[[Event], None],
) -> AscentResult:
    """Dream one picture as a config says; see ``kerasdream.dreaming.loop.ascend``."""
    from kerasdream.dreaming.loop import ascend

    return ascend(
        picture.stored,
        plan,
        step,
        parametrization=config.parametrization,
        chain=config.ascent,
        strength=config.strength,
        projections=[entry for entry in config.priors if isinstance(entry.make(), Projection)],
        detail=config.octaves.detail,
        is_over=config.octaves.is_over,
        start=start,
        save=save,
        on_event=on_event,
    )
