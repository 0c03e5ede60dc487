"""A whole run: network, pictures, dreams, files."""

from __future__ import annotations

import glob
import os
import platform
import re
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdream import images
from kerasdream.components import Projection
from kerasdream.config import RunConfig
from kerasdream.errors import ImageError, OutputError
from kerasdream.events import Event, Finished, Started
from kerasdream.plan import BATCH_PIXELS, Plan, make_plan
from kerasdream.recipes import checksum
from kerasdream.result import Result
from kerasdream.tiling import Lattice

if TYPE_CHECKING:
    from kerasdream.models.network import Network
    from kerasdream.step import GradientStep

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp", ".gif", ".avif")
"""Endings by which pictures in a folder are known."""

NOISE_SPREAD = 0.1
"""Standard deviation of ``source: noise`` around grey, on a scale of -1 to 1."""


class Session:
    """A network made ready once, for any number of pictures.

    Args:
        config: the validated run.
        folder: where outputs go; by default the run file's folder.
        overwrite: whether outputs that exist are replaced.
        tell: is told every event.
    """

    def __init__(
        self,
        config: RunConfig,
        *,
        folder: Path | None = None,
        overwrite: bool = False,
        tell: Callable[[Event], None] = lambda event: None,
    ) -> None:
        self.config, self.folder, self.overwrite, self.tell = config, folder or config.base, overwrite, tell
        self.taken: dict[Path, str] = {}

    def sources(self) -> list[str]:
        """The pictures of this run: paths, or ``noise``.

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
        if not found:
            raise ImageError(f"{path} has no pictures; expected files ending in {', '.join(SUFFIXES)}")
        return found

    def targets(self, source: str) -> list[Path]:
        """The files that dreaming a picture will write; checked before anything is computed.

        Raises:
            OutputError: one exists and may not be overwritten, or is the picture itself; two outputs, of this picture
                or of two, have the same name; the folder cannot be written.
        """
        names = {"stem": Path(source).stem, "seed": str(self.config.seed)}
        paths = []
        for entry in self.config.outputs:
            path = self.folder / Path(_filled(entry.make().path, names)).expanduser()
            if path in self.taken:
                raise OutputError(f"{path} is already the output of {self.taken[path]}; give one another path")
            self.taken[path] = source
            if path.exists() and os.path.exists(source) and path.samefile(source):
                raise OutputError(f"{path} is the picture that is dreamed; give the output another path, or -o DIR")
            if path.exists() and not self.overwrite:
                raise OutputError(f"{path} exists; add --overwrite to replace it, or -o DIR to write elsewhere")
            if not path.parent.is_dir():
                raise OutputError(f"the folder {path.parent} does not exist; create it, or give -o DIR")
            try:
                tempfile.TemporaryFile(dir=path.parent).close()
            except OSError as error:
                raise OutputError(
                    f"the folder {path.parent} cannot be written ({error.strerror}); give -o DIR"
                ) from None
            paths.append(path)
        return paths

    @cached_property
    def network(self) -> Network:
        """The network, built and loaded."""
        return self.config.model.make()

    @cached_property
    def step(self) -> GradientStep:
        """The gradient step, built; traced when first called."""
        from kerasdream.step import GradientStep

        config = self.config
        return GradientStep(
            self.network,
            config.objectives,
            [entry for entry in config.priors if not isinstance(entry.make(), Projection)],
            config.transforms,
            tile=config.tiles.size,
            halo=config.tiles.halo,
            seed=config.seed,
        )

    def plan(self, shape: tuple[int, int]) -> Plan:
        """What will be computed for a picture of this (height, width)."""
        step = self.step
        return plan_of(self.config, shape, step.lattice, step.halo, step.jitter)

    def picture(self, source: str) -> images.Picture:
        """Reads a picture, or draws noise."""
        if source == "noise":
            return self.noise()
        return images.read(Path(source), self.config.image.max_side)

    def noise(self) -> images.Picture:
        """Grey with noise, a function of the seed."""
        import numpy as np

        random = np.random.default_rng([self.config.seed, 0x6E6F697365])
        pixels = random.normal(0, NOISE_SPREAD, (*self.config.image.size, 3)).clip(-1, 1).astype("float32")
        return images.Picture(pixels, None, "noise", "", ())

    def dream(self, picture: images.Picture, targets: Sequence[Path] = ()) -> Result:
        """Dreams one picture and writes it to ``targets``, one for each output."""
        from kerasdream.dreaming import ascend

        config, began = self.config, time.perf_counter()
        try:
            plan = self.plan(picture.pixels.shape[:2])
        except ImageError as error:
            raise ImageError(f"{picture.name}: {error}") from None
        loaded = time.perf_counter() - began
        self.tell(Started(picture.name, plan))
        with ExitStack() as stack:
            receivers = []
            for entry, path in zip(config.outputs, targets, strict=False):
                with entry.blamed():
                    receivers.append((entry, stack.enter_context(entry.make().open(path))))

            def tell(event: Event) -> None:
                for entry, receive in receivers:
                    with entry.blamed():
                        receive(event)
                self.tell(event)

            ascent = ascend(
                picture.pixels,
                plan,
                self.step,
                parametrization=config.parametrization,
                chain=config.ascent,
                projections=[entry for entry in config.priors if isinstance(entry.make(), Projection)],
                detail=config.octaves.detail,
                tell=tell,
            )
            if ascent.interrupted and not ascent.scores:
                raise KeyboardInterrupt
            image = ascent.picture
            for entry in config.postprocess:
                image = entry.make().apply(image, picture.pixels)
            result = Result(
                image=image,
                alpha=picture.alpha,
                scores=tuple(ascent.scores),
                timings={"load": loaded, **ascent.timings, "total": time.perf_counter() - began},
                manifest=self.manifest(picture, plan, ascent.interrupted),
                name=picture.name,
                paths=tuple(targets),
                interrupted=ascent.interrupted,
                notes=(*picture.notes, *plan.notes, *ascent.notes),
            )
            tell(Finished(result))
        return result

    def manifest(self, picture: images.Picture, plan: Plan, interrupted: bool) -> dict[str, Any]:
        """The recipe as it goes into the picture: base names and checksums, automatic values resolved."""
        data = self.config.data
        recipe = {
            **data,
            "image": {**data["image"], "source": picture.name},
            "tiles": {**data["tiles"], "size": plan.tile},
        }
        source = {"name": picture.name, **({"sha256": picture.sha256} if picture.sha256 else {})}
        files = [value for value in self.config.model.values.values() if isinstance(value, Path)]
        return {
            "kerasdream": metadata.version("kerasdream"),
            "recipe": recipe,
            "source": source,
            **({"files": {file.name: checksum(file) for file in files}} if files else {}),
            "batch_pixels": BATCH_PIXELS,
            "versions": {
                "python": platform.python_version(),
                **{name: metadata.version(name) for name in ("tensorflow", "keras", "numpy", "pillow")},
            },
            **({"interrupted": True} if interrupted else {}),
        }


def _filled(path: str, names: Mapping[str, str]) -> str:
    """Fills in the names in braces."""
    for name in re.findall(r"{(\w+)}", path):
        if name not in names:
            raise OutputError(f"the output path {path!r} has {{{name}}}; expected {{{'} or {'.join(names)}}}")
    return re.sub(r"{(\w+)}", lambda match: names[match[1]], path)


def plan_of(config: RunConfig, shape: tuple[int, int], lattice: Lattice, halo: int, jitter: int) -> Plan:
    """The plan of a run for a picture of this (height, width)."""
    return make_plan(
        shape,
        count=config.octaves.count,
        scale=config.octaves.scale,
        steps=config.octaves.steps,
        tile=config.tiles.size,
        halo=halo,
        jitter=jitter,
        lattice=lattice,
        seed=config.seed,
        smallest=lattice.smallest,
    )
