"""The finished frames of an unfinished run, needed to resume an output that is one file for all frames."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from kerasdream.config.recipes import manifest_in
from kerasdream.errors import ImageError, OutputError, setting
from kerasdream.events import Result
from kerasdream.images import read, save


class KeptFrames:
    """Finished frames in a hidden folder next to the first output.

    Args:
        output: the first output.
    """

    def __init__(self, output: Path) -> None:
        self.folder = output.with_name(f".{output.name}.frames")

    def keep(self, number: int, result: Result) -> None:
        """Save a frame, rounded to 8 bits like every file."""
        self.folder.mkdir(exist_ok=True)
        if result.attribution is not None:
            np.save(self._attribution(number), result.attribution)
        save(self.folder / f"{number}.png", result.image, alpha=result.alpha, recipe=result.recipe, format="png")

    def read(self, number: int) -> Result:
        """Return a frame.

        Raises:
            OutputError: it is no longer there.
        """
        path = self.folder / f"{number}.png"
        try:
            frame = read(path)
        except ImageError as error:
            raise OutputError(
                f"frame {number + 1}, which was finished, cannot be read again ({error}); "
                f"drop {setting('--resume', 'resume=True')} to start over"
            ) from error
        pulls = np.load(self._attribution(number)) if self._attribution(number).exists() else None
        return Result(frame.pixels, (), {}, manifest_in(path), frame.alpha, attribution=pulls)

    def _attribution(self, number: int) -> Path:
        return self.folder / f"{number}.npy"

    def discard(self) -> None:
        """Delete all frames."""
        shutil.rmtree(self.folder, ignore_errors=True)
