"""Make the picture of docs/catalogue/zoom.md: ``python docs/make_zoom.py``.

Frames of configs/zoom.yaml, a zoom into the raccoon (configs/photos, public domain).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import kerasdream
from kerasdream import images, load_config
from kerasdream.events import Event, Finished

HERE = Path(__file__).parent
SHOWN = (1, 5, 10, 15), (20, 30, 40, 60)
"""The frames in each row."""


def main() -> None:
    """Make the picture."""
    made: dict[int, np.ndarray] = {}

    def on_event(event: Event) -> None:
        if isinstance(event, Finished):
            made[event.frame + 1] = images.resize(event.result.image, (150, 200)).clip(-1, 1)

    settings = ["image.max_side=320", f"frames.count={SHOWN[-1][-1]}", "outputs=[]"]
    kerasdream.run(load_config(HERE.parent / "configs" / "zoom.yaml", settings), on_event=on_event)
    path = HERE / "catalogue" / "images" / "zoom.jpg"
    strip = np.vstack([np.hstack([made[number] for number in row]) for row in SHOWN])
    images.save(path, strip, format="jpeg", quality=75)
    print(path, path.stat().st_size)


if __name__ == "__main__":
    main()
