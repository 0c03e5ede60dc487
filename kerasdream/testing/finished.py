"""Checks of parts that run outside the trace: projections, postprocess steps, outputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from kerasdream.components import Objective, Output, Postprocess
from kerasdream.events import Event, Finished
from kerasdream.output_names import filled, of_frame
from kerasdream.plugins.spec import PartSpec
from kerasdream.testing.material import photo, tiny_network
from kerasdream.testing.registered import check_schema, expect


def check_postprocess(
    factory: Callable[..., Any],
    parameters: Mapping[str, Any] | None = None,
    *,
    picture: np.ndarray | None = None,
) -> None:
    """Check a postprocess step on a photo, on a tiny picture and on grey.

    Raises:
        AssertionError: it changes its arguments, returns another shape or dtype than float32, returns numbers that are
            not finite or outside [-1, 1], or returns a different result the second time.
        PluginError: as a user would see it.
    """
    entry = check_schema("postprocess", factory, parameters)
    made: Postprocess = entry.make()
    picture = photo() if picture is None else picture
    source = picture[::-1].copy()

    def apply(canvas: np.ndarray) -> np.ndarray:
        like = source[: canvas.shape[0], : canvas.shape[1]]
        return made.apply(canvas, like, abs(like).sum(-1)) if made.attributed else made.apply(canvas, like)

    check_projection(entry, apply, picture)
    before = source.copy()
    apply(picture)
    expect((source == before).all(), entry.origin, "changes its source argument; return a new picture")


def check_projection(entry: PartSpec, apply: Callable[[np.ndarray], np.ndarray], picture: np.ndarray) -> None:
    """Check a function from pictures to pictures."""
    grey = np.zeros_like(picture)
    for canvas in (picture, picture[:17, :23].copy(), grey):
        before = canvas.copy()
        made, again = apply(canvas), apply(canvas)
        expect((canvas == before).all(), entry.origin, "changes its picture argument; return a new one")
        expect(made.dtype == np.float32, entry.origin, f"returned {made.dtype}; expected float32")
        expect(abs(made).max() <= 1, entry.origin, f"reaches {abs(made).max():g}; expected numbers in [-1, 1]")
        expect(
            (made == again).all(),
            entry.origin,
            "returns another result the second time; take a seed as a parameter",
        )


def check_output(
    factory: Callable[..., Output], parameters: Mapping[str, Any] | None = None, *, folder: Path
) -> list[Path]:
    """Check an output with the events of a real run, and with a run that fails.

    Args:
        folder: an empty folder to write to, such as pytest's ``tmp_path``.

    Returns:
        The files it wrote.

    Raises:
        AssertionError: it writes no file at its path, writes it before the run is finished, or leaves files behind when
            the run fails.
        PluginError: as a user would see it.
    """
    entry = check_schema("outputs", factory, parameters)
    output: Output = entry.make()
    events = _events()
    name = of_frame(Path(filled(output.path, {"stem": "photo", "seed": "0"})), 0, 1).name
    path = folder / name
    with output.open(path) as receive:
        for event in events:
            if isinstance(event, Finished):
                expect(not path.exists(), entry.origin, f"has written {name} before the run is finished")
            receive(event)
    expect(path.is_file() and path.stat().st_size, entry.origin, f"has written no file {name}")
    broken = folder / f"broken-{name}"
    try:
        with output.open(broken) as receive:
            for event in events[:-1]:
                receive(event)
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    left = [file.name for file in folder.iterdir() if file != path]
    expect(not left, entry.origin, f"leaves {', '.join(left)} behind when the run fails")
    return [path]


def _events() -> list[Event]:
    """Return the events of a real run of two octaves."""
    from kerasdream.api import session_for
    from kerasdream.images.given import as_picture

    events: list[Event] = []
    session = session_for(
        model=tiny_network(),
        objectives=Objective("conv2", lambda activations: activations["conv2"][..., 0] ** 2),
        octaves={"count": 2, "steps": 3},
        on_event=events.append,
    )
    session.dream(as_picture(photo()))
    return events
