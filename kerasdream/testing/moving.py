"""Checks of the parts that move the picture: ascent rules and parametrizations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kerasdream.components import Parametrization, Rule
from kerasdream.testing.material import photo
from kerasdream.testing.registered import check_schema, expect


def check_rule(factory: Callable[..., Rule], parameters: Mapping[str, Any] | None = None) -> None:
    """Checks an ascent rule over three steps, on a state of any shape, and on a gradient that is zero.

    Raises:
        AssertionError: it changes its arguments, depends on anything but them, returns another dtype or numbers that
            are not finite.
        PluginError: what a user would see.
    """
    import numpy as np

    entry = check_schema("ascent", factory, parameters)
    rule: Rule = entry.make()
    random = np.random.default_rng(0)
    for shape in ((24, 32, 3), (7,)):
        state = random.normal(0, 0.3, shape).astype("float32")
        memory, twin = rule.init(state), rule.init(state)
        for gradient in (random.normal(0, 1e-6, shape).astype("float32"), np.zeros(shape, "float32"), state):
            before = gradient.copy(), state.copy()
            moved, memory = rule.update(gradient, memory, state)
            again, twin = rule.update(gradient, twin, state)
            unchanged = (gradient == before[0]).all() and (state == before[1]).all()
            expect(unchanged, entry.blame, "changes the arrays it is given; return new ones")
            moved, again = np.asarray(moved), np.asarray(again)
            expect(moved.dtype == np.float32, entry.blame, f"returned {moved.dtype}; expected float32")
            expect((moved == again).all(), entry.blame, "gives something else for the same gradient and memory")


def check_parametrization(
    factory: Callable[..., Parametrization], parameters: Mapping[str, Any] | None = None, *, tolerance: float = 0.05
) -> None:
    """Checks a parametrization: it can hold a photo of an odd size, and the picture's gradient reaches its state.

    Args:
        tolerance: how far, on average, ``decode(init(photo))`` may be from the photo, on a scale of -1 to 1.

    Raises:
        AssertionError: the state is not float32, the photo does not come back, the gradient is zero or not finite, or
            the same seed gives another state.
        PluginError: what a user would see.
    """
    import numpy as np

    from kerasdream.engine.score import pull_back

    entry = check_schema("parametrizations", factory, parameters)
    form: Parametrization = entry.make()
    who = entry.blame
    for picture in (photo(), photo()[:61, :83]):
        height, width = picture.shape[:2]
        state = form.init(picture, 1)
        expect(
            np.asarray(state).dtype == np.float32, who, f"has a state of {np.asarray(state).dtype}; expected float32"
        )
        same = (np.asarray(state) == np.asarray(form.init(picture, 1))).all()
        expect(same, who, "makes another state for the same seed")
        decoded = np.asarray(state if form.decode is None else form.decode(state, height, width))
        expect(decoded.shape == picture.shape, who, f"decodes to shape {decoded.shape}; expected {picture.shape}")
        off = abs(decoded - picture).mean()
        expect(off <= tolerance, who, f"does not give the photo back: {off:.3f} off on average; expected {tolerance}")
        if form.decode is not None:
            gradient = np.asarray(pull_back(form.decode, state, (height, width), picture))
            expect(gradient.shape == np.asarray(state).shape, who, f"has a gradient of shape {gradient.shape}")
            expect(np.isfinite(gradient).all(), who, "has a gradient that is not finite")
            expect(gradient.any(), who, "has a gradient that is zero everywhere")
