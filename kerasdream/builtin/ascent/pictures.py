"""For the rules that look at neighbours: they need a state that is a picture."""

from __future__ import annotations

from typing import Any

from kerasdream.errors import ConfigError


def require_picture(state: Any, rule: str) -> None:
    """Checks that a parametrization's state is a picture, ``(height, width, 3)``.

    Raises:
        ConfigError: its numbers have no neighbours in the picture (a spectrum, for one).
    """
    shape = tuple(state.shape)
    if len(shape) != 3 or shape[2] != 3:
        raise ConfigError(
            f"the ascent rule {rule!r} looks at neighbouring pixels, but this parametrization holds the picture as "
            f"numbers of shape {shape}; expected (height, width, 3): use parametrization: pixels, or leave {rule!r} out"
        )
