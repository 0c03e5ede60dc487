"""For rules that look at neighbouring pixels: they need a state that is a picture."""

from __future__ import annotations

from typing import Any

from kerasdream import ConfigError


def require_picture(state: Any, rule: str) -> None:
    """Check that a parametrization's state is a picture, ``(height, width, 3)``.

    Raises:
        ConfigError: its numbers do not correspond to neighbouring pixels, as in a spectrum.
    """
    shape = tuple(state.shape)
    if len(shape) != 3 or shape[2] != 3:
        raise ConfigError(
            f"the ascent rule {rule!r} looks at neighbouring pixels, but this parametrization holds the picture as "
            f"numbers of shape {shape}; expected (height, width, 3): use parametrization: pixels, or leave {rule!r} out"
        )
