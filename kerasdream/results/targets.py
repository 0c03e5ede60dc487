"""The files that a run writes: their names, whether they may be written, and which are finished already."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerasdream import images
from kerasdream._files import at_home
from kerasdream.config.recipes import PICTURES, differences, manifest_in
from kerasdream.errors import OutputError, setting
from kerasdream.events import Result
from kerasdream.output_names import files_of, filled
from kerasdream.results.checkpoint import checkpoint_path, discard

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig


class Targets:
    """The files of a run.

    Args:
        folder: where outputs go; None: next to each picture.
        overwrite: whether existing files are replaced.
        resume: whether existing files may be finished results of this run.
    """

    def __init__(
        self, config: RunConfig, folder: Path | None, *, overwrite: bool = False, resume: bool = False
    ) -> None:
        self.config, self.folder, self.overwrite, self.resume = config, folder, overwrite, resume
        self._taken: dict[Path, str] = {}

    def paths(self, source: str) -> list[Path]:
        """Return the paths that dreaming a picture writes to, one for each output, ``{frame}`` left in them."""
        names = {"stem": Path(source).stem, "seed": str(self.config.seed)}
        paths = (filled(entry.make().path, names) for entry in self.config.outputs)
        folder = Path(source).parent if self.folder is None else self.folder
        return [folder / at_home(path) for path in paths]

    def files(self, paths: Sequence[Path]) -> list[Path]:
        """Return the files that are written at these paths: one for each frame, if the path has ``{frame}`` in it."""
        return [file for path in paths for file in files_of(path, self.config.frames.count)]

    def reserve(self, source: str) -> list[Path]:
        """Return ``paths``, after checking that each file may be written.

        When resuming, existing files are checked by ``finished``.

        Raises:
            OutputError: a file exists and may not be overwritten, or is the picture itself; two outputs, of this
                picture or of two, have the same name; the folder cannot be written.
        """
        paths = self.paths(source)
        for path in self.files(paths):
            if path in self._taken:
                raise OutputError(f"{path} is already an output of {self._taken[path]}; choose another path for one")
            self._taken[path] = source
            _check_name(path)
            if path.exists() and os.path.exists(source) and path.samefile(source):
                raise OutputError(
                    f"output {path} would overwrite its own source; choose another path, or {_elsewhere()}"
                )
            if path.exists() and not self.overwrite and not self.resume:
                raise OutputError(f"{path} exists; {_replacing()}")
        for folder in dict.fromkeys(path.parent for path in paths):
            _check_folder(folder)
        return paths

    def finished(self, paths: Sequence[Path], requested: Mapping[str, Any], name: str) -> Result | None:
        """When resuming, return the finished result of a picture; None if it is not finished.

        A file of a kind that cannot have a recipe in it, such as a plugin's table, only has to exist, if there is also
        a file of a kind that can.

        Args:
            paths: where it was written.
            requested: what it should be made from (``Provenance.requested``).
            name: of the picture.

        Raises:
            OutputError: an existing file is not a dream of this picture by this recipe, and may not be overwritten.
        """
        if not self.resume or not paths:
            return None
        files = self.files(paths)
        telling = [path for path in paths if path.suffix.lower() in PICTURES] or paths
        manifests = {path: manifest_in(path) for path in self.files(telling) if path.exists()}
        for path, manifest in manifests.items():
            changes = list(differences(requested, {key: manifest.get(key) for key in requested}))
            if changes and not self.overwrite:
                reason = "; ".join(changes[:3]) if manifest else "it has no recipe"
                raise OutputError(f"{path} exists and is a different picture ({reason}); {_replacing()}")
            if changes or manifest.get("interrupted"):
                return None
        if not all(path.exists() for path in files):
            return None
        discard(paths[0])
        last = files_of(telling[0], self.config.frames.count)[-1]
        picture = images.read(last)
        return Result(
            image=picture.pixels,
            alpha=picture.alpha,
            scores=(),
            timings={},
            manifest=manifests[last],
            name=name,
            paths=tuple(files),
        )


def _replacing() -> str:
    overwrite = setting("add --overwrite", "pass overwrite=True")
    return f"{overwrite} to replace it, or {_elsewhere()} to write elsewhere"


def _elsewhere() -> str:
    return setting("-o DIR", "folder=DIR")


def _check_name(path: Path) -> None:
    """Check that a file of this name can be written, and its checkpoint next to it."""
    try:
        checkpoint_path(path).exists()
        taken = path.exists() and not path.is_file()
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}); choose another path") from None
    if taken:
        raise OutputError(f"{path} is not an ordinary file, so nothing can be written there; choose another path")


def _check_folder(folder: Path) -> None:
    if not folder.is_dir():
        raise OutputError(f"the folder {folder} does not exist; create it, or use {_elsewhere()}")
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be written ({error.strerror}); use {_elsewhere()}") from None
