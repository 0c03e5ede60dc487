"""A whole run: network, pictures, dreams, files."""

from __future__ import annotations

import glob
import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdream import images
from kerasdream.components import Projection
from kerasdream.config.recipes import checksum, differences, manifest_in, plugin_checksum
from kerasdream.config.run_config import RunConfig
from kerasdream.errors import ImageError, OutputError
from kerasdream.events import Event, Finished, Result
from kerasdream.output_names import FRAME, files_of, filled
from kerasdream.plan.crops import Windows
from kerasdream.plan.plan import Plan, make_plan
from kerasdream.plan.tile_size import own_rules
from kerasdream.plan.tiling import Cutting

if TYPE_CHECKING:
    from kerasdream.components import Network
    from kerasdream.dreaming.loop import AscentResult, AscentState
    from kerasdream.dreaming.step import GradientStep

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")
"""Endings by which pictures in a folder are known."""


class Session:
    """A network made ready once, for any number of pictures.

    Args:
        config: the validated run.
        folder: where outputs go; by default the run file's folder.
        overwrite: whether outputs that exist are replaced.
        resume: whether to go on where an earlier run of the same was ended: unfinished pictures from their saved
            state, finished ones not at all.
        on_event: called with every event.
        network: the network, if it is already built.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        folder: Path | None = None,
        overwrite: bool = False,
        resume: bool = False,
        on_event: Callable[[Event], None] = lambda event: None,
        network: Network | None = None,
    ) -> None:
        self.config, self.folder, self.on_event = config, folder or config.base, on_event
        self.overwrite, self.resume, self._network = overwrite, resume, network
        self.taken: dict[Path, str] = {}

    def sources(self) -> list[str]:
        """The pictures of this run: paths, or ``noise``. What it writes beside its photos is none of them.

        Raises:
            ImageError: a glob or folder without pictures.
        """
        source = self.config.image.source
        if source == "noise":
            return [source]
        path = self.config.base / Path(source).expanduser()
        if path.is_dir():
            found = sorted(str(p) for p in path.iterdir() if p.suffix.lower() in SUFFIXES)
        elif glob.has_magic(source) and not path.exists():
            names = glob.glob(source, root_dir=self.config.base, recursive=True)
            found = sorted(str(self.config.base / name) for name in names)
        else:
            found = [str(path)]
        if len(found) > 1:
            made = {os.path.abspath(path): photo for photo in found for path in self.written(self.outputs(photo))}
            found = [photo for photo in found if made.get(os.path.abspath(photo), photo) == photo]
        if not found:
            raise ImageError(f"{path} has no pictures; expected files ending in {', '.join(SUFFIXES)}")
        return found

    def outputs(self, source: str) -> list[Path]:
        """The paths of what dreaming a picture will write, one for each output, ``{frame}`` left in them."""
        names = {"stem": Path(source).stem, "seed": str(self.config.seed)}
        paths = (filled(entry.make().path, names) for entry in self.config.outputs)
        return [self.folder / Path(path).expanduser() for path in paths]

    def written(self, targets: Sequence[Path]) -> list[Path]:
        """The files that are written at these paths: one for each frame, where a path says so."""
        return [file for path in targets for file in files_of(path, self.config.frames.count)]

    def targets(self, source: str) -> list[Path]:
        """The same, checked before anything is computed; when resuming, `finished` checks those that exist.

        Raises:
            OutputError: one exists and may not be overwritten, or is the picture itself; two outputs, of this picture
                or of two, have the same name; the folder cannot be written.
        """
        paths = self.outputs(source)
        for path in self.written(paths):
            if path in self.taken:
                raise OutputError(f"{path} is already the output of {self.taken[path]}; give one another path")
            self.taken[path] = source
            _check_name(path)
            if path.exists() and os.path.exists(source) and path.samefile(source):
                raise OutputError(f"{path} is the picture that is dreamed; give the output another path, or -o DIR")
            if path.exists() and not self.overwrite and not self.resume:
                raise OutputError(f"{path} exists; add --overwrite to replace it, or -o DIR to write elsewhere")
        for folder in dict.fromkeys(path.parent for path in paths):
            if not folder.is_dir():
                raise OutputError(f"the folder {folder} does not exist; create it, or give -o DIR")
            try:
                tempfile.TemporaryFile(dir=folder).close()
            except OSError as error:
                raise OutputError(f"the folder {folder} cannot be written ({error.strerror}); give -o DIR") from None
        return paths

    def finished(self, picture: images.Picture, targets: Sequence[Path]) -> Result | None:
        """When resuming: the dream of a picture as it lies there already, or None if it is not finished.

        Raises:
            OutputError: an output that exists is no dream of this picture by this recipe, and may not be overwritten.
        """
        from kerasdream.results.checkpoint import discard

        if not self.resume or not targets:
            return None
        files, asked = self.written(targets), self.asked(picture)
        manifests = {path: manifest_in(path) for path in files if path.exists()}
        for path, manifest in manifests.items():
            changes = list(differences(asked, {key: manifest.get(key) for key in asked}))
            if changes and not self.overwrite:
                reason = "; ".join(changes[:3]) if manifest else "it holds no recipe"
                raise OutputError(
                    f"{path} exists and is another picture ({reason}); add --overwrite to replace it, or -o DIR to "
                    "write elsewhere"
                )
            if changes or manifest.get("interrupted"):
                return None
        if len(manifests) < len(files):
            return None
        discard(targets[0])
        last = files_of(targets[0], self.config.frames.count)[-1]
        there = images.read(last)
        result = Result(
            image=there.pixels,
            alpha=there.alpha,
            scores=(),
            timings={},
            manifest=manifests[last],
            name=picture.name,
            paths=tuple(files),
        )
        self.on_event(Finished(result))
        return result

    @cached_property
    def network(self) -> Network:
        """The network, built and loaded."""
        if self._network is not None:
            return self._network
        model = self.config.model
        return model.make({"top": True} if self.config.classifies and model.values.get("top", True) is None else None)

    @cached_property
    def step(self) -> GradientStep:
        """The gradient step, built; traced when first called."""
        from kerasdream.dreaming.step import GradientStep

        config = self.config
        return GradientStep(
            self.network,
            config.objectives,
            [entry for entry in config.priors if not isinstance(entry.make(), Projection)],
            config.transforms,
            tile=config.tiles.size,
            halo=config.tiles.halo,
            batch=None if config.tiles.batch == "auto" else config.tiles.batch,
            memory=config.tiles.bytes,
            precision=config.engine.precision,
            jit=config.engine.jit == "on",
            crops=config.crops_for(self.network.side),
            seed=config.seed,
        )

    def plan(self, shape: tuple[int, int]) -> Plan:
        """What will be computed for a picture of this (height, width)."""
        return plan_of(self.config, shape, self.step.cutting, self.step.crops)

    def picture(self, source: str) -> images.Picture:
        """Reads a picture, or draws noise."""
        if source == "noise":
            return self.noise()
        return self.sheet(images.read(Path(source), self.config.image.max_side))

    def sheet(self, picture: images.Picture) -> images.Picture:
        """Returns a sheet with the picture in every panel."""
        panels = self.config.panels
        alpha = None if picture.alpha is None else panels.filled(picture.alpha)
        return replace(picture, stored=panels.filled(picture.stored), alpha=alpha)

    def noise(self) -> images.Picture:
        """Normally distributed noise, a function of the seed."""
        import numpy as np

        asked, random = self.config.image, np.random.default_rng([self.config.seed, 0x6E6F697365])
        size = self.config.panels.sheet(asked.size)
        pixels = random.normal(asked.mean, asked.spread, (*size, 3)).clip(-1, 1).astype("float32")
        return images.Picture(pixels, None, "noise", "", ())

    def dream(self, picture: images.Picture, targets: Sequence[Path] = ()) -> Result:
        """Dreams one picture, or the frames that grow out of it, and writes it to ``targets``, one for each output.

        With targets its state is saved beside the first one while it is not finished.

        Raises:
            OutputError: when resuming: the saved state is damaged, or that of another run.
        """
        from kerasdream.session.reel import FrameLoop

        return FrameLoop(self, picture, targets).run()

    def ascend(
        self,
        picture: images.Picture,
        plan: Plan,
        start: AscentState | None,
        save: Callable[[AscentState], None] | None,
        on_event: Callable[[Event], None],
    ) -> AscentResult:
        """Dreams one picture as the run file says; see ``kerasdream.dreaming.loop.ascend``."""
        from kerasdream.dreaming.loop import ascend

        config = self.config
        return ascend(
            picture.stored,
            plan,
            self.step,
            parametrization=config.parametrization,
            chain=config.ascent,
            projections=[entry for entry in config.priors if isinstance(entry.make(), Projection)],
            detail=config.octaves.detail,
            is_over=config.octaves.is_over,
            start=start,
            save=save or (lambda point: None),
            on_event=on_event,
        )

    @cached_property
    def files(self) -> dict[str, str]:
        """The files that the network and the other parts are made from: base name -> SHA-256.

        One that is missing is left out: its part says so when it is made.
        """
        files = [file for entry in self.config.entries for file in entry.files]
        return {file.name: checksum(file) for file in files if file.exists()}

    @cached_property
    def plugins(self) -> dict[str, str]:
        """The plugins that are not installed: base name -> SHA-256."""
        return {path.name: plugin_checksum(path) for path in self.config.plugin_files}

    def asked(self, picture: images.Picture) -> dict[str, Any]:
        """What a picture is to be made from: the recipe, and files and plugins by base name and checksum."""
        data = self.config.data
        return {
            "recipe": {**data, "image": {**data["image"], "source": picture.name}},
            "source": {"name": picture.name, **({"sha256": picture.sha256} if picture.sha256 else {})},
            **({"files": self.files} if self.files else {}),
            **({"plugins": self.plugins} if self.plugins else {}),
        }

    def manifest(self, picture: images.Picture, plan: Plan) -> dict[str, Any]:
        """What goes into the picture: what was asked for, automatic values resolved, and the versions."""
        asked = self.asked(picture)
        asked["recipe"]["tiles"] = {**asked["recipe"]["tiles"], "size": plan.cutting.size}
        return {
            "kerasdream": metadata.version("kerasdream"),
            **asked,
            "versions": {
                "python": platform.python_version(),
                **{name: metadata.version(name) for name in ("tensorflow", "keras", "numpy", "pillow")},
                **self.config.distributions,
            },
        }


def _check_name(path: Path) -> None:
    """Checks that a file of this name can be written, and the state of its dream beside it."""
    from kerasdream.results.checkpoint import checkpoint_path

    try:
        checkpoint_path(path).exists()
        taken = path.exists() and not path.is_file()
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); give the output another path") from None
    if taken:
        raise OutputError(f"{path} is not an ordinary file, so nothing can be written there; give another path")


def plan_of(config: RunConfig, shape: tuple[int, int], cutting: Cutting, crops: Windows | None) -> Plan:
    """The plan of a run for a picture of this (height, width)."""
    notes = [own_rules().fault] if config.tiles.size == "auto" else []
    stills = [entry for entry in config.outputs if entry.name in ("png", "jpeg") and FRAME not in entry.values["path"]]
    if config.frames.count > 1 and stills and len(stills) == len(config.outputs):
        notes.append(f"only the last frame is written: put {FRAME} into the path of an output, or write a gif")
    return make_plan(
        shape,
        octaves=config.octaves,
        cutting=cutting,
        seed=config.seed,
        notes=[note for note in notes if note],
        crops=crops,
        panels=config.panels,
    )
