"""One dream in this process that can be interrupted and resumed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
import skimage.data
from PIL import Image

import kerasdream
from kerasdream.events import Result, Stepped
from kerasdream.results.checkpoint import checkpoint_path


@dataclass(frozen=True)
class Run:
    """A photo, ``cat.png``, and a network in a folder, to dream in three octaves of four steps."""

    folder: Path

    @property
    def dream(self) -> Path:
        """The output."""
        return self.folder / "cat-dream.png"

    @property
    def checkpoint(self) -> Path:
        return checkpoint_path(self.dream)

    def __call__(self, stop=None, folder=None, overwrite=False, resume=False, **keys) -> tuple[Result, list[int]]:
        """Run, with Ctrl-C after step ``stop``; return the result and the steps that were taken."""
        steps = []

        def on_event(event):
            if isinstance(event, Stepped):
                steps.append(event.progress.run_step)
                if steps[-1] == stop:
                    raise KeyboardInterrupt

        data = {
            "image": str(self.folder / "cat.png"),
            "model": {"file": str(self.folder / "tiny.keras"), "input_range": [-1, 1]},
            "objectives": {"l2": "c3"},
            "octaves": {"count": 3, "scale": 1.4, "steps": 4},
            **keys,
        }
        folder = folder or self.folder
        folder.mkdir(exist_ok=True)
        return kerasdream.run(data, folder=folder, on_event=on_event, overwrite=overwrite, resume=resume), steps


@pytest.fixture
def run(tmp_path, tiny):
    tiny.save(tmp_path / "tiny.keras")
    Image.fromarray(skimage.data.chelsea()[:96, :128]).save(tmp_path / "cat.png")
    return Run(tmp_path)
