"""Checks of the parts that move the picture: ascent rules and parametrizations."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from kerasdream.components import Parametrization, Rule
from kerasdream.errors import KerasdreamError, PluginError
from kerasdream.plugins.spec import PartSpec
from kerasdream.schedules import Progress
from kerasdream.testing.material import photo
from kerasdream.testing.registered import check_schema, expect, steady


def check_rule(
    factory: Callable[..., Rule], parameters: Mapping[str, Any] | None = None, *, pictures_only: bool = False
) -> None:
    """Check an ascent rule over three steps, on pictures, on a state of another shape, and on a zero gradient.

    Args:
        pictures_only: whether the rule looks at neighbouring pixels; for a state that is not a picture its ``init``
            must then raise a ``KerasdreamError``.

    Raises:
        AssertionError: it changes its arguments, depends on anything else, returns another dtype or numbers that are
            not finite, does not accept a schedule for a number, or accepts a state that it must reject.
        PluginError: as a user would see it.
    """
    entry = check_schema("ascent", factory, parameters)
    random = np.random.default_rng(0)
    for shape in ((24, 32, 3), (13, 7, 3)) if pictures_only else ((24, 32, 3), (7,)):
        state = random.normal(0, 0.3, shape).astype("float32")
        _check_steps(entry, state, [random.normal(0, 1e-6, shape).astype("float32"), np.zeros_like(state), state])
    if pictures_only:
        try:
            entry.make().init(np.zeros(7, "float32"))
        except PluginError:
            raise
        except KerasdreamError:
            return
        raise AssertionError(f"{entry.origin} accepts a state that is not a picture; raise a KerasdreamError in init")


def _check_steps(entry: PartSpec, state: np.ndarray, gradients: Sequence[np.ndarray]) -> None:
    """Take a rule's steps twice; then traced, with a schedule in place of each number."""
    rule: Rule = entry.make()
    memory, twin, steps = rule.init(state), rule.init(state), []
    for gradient in gradients:
        before = gradient.copy(), state.copy()
        moved, memory = rule.update(gradient, memory, state)
        again, twin = rule.update(gradient, twin, state)
        unchanged = (gradient == before[0]).all() and (state == before[1]).all()
        expect(unchanged, entry.origin, "changes its argument arrays; return new ones")
        moved, again = np.asarray(moved), np.asarray(again)
        expect(moved.dtype == np.float32, entry.origin, f"returned {moved.dtype}; expected float32")
        expect((moved == again).all(), entry.origin, "returns different results for the same gradient and memory")
        steps.append(moved)
    for name, scheduled in steady(entry):
        for moved, again in zip(steps, _traced_steps(scheduled, state, gradients), strict=True):
            same = np.allclose(again, moved, rtol=1e-3, atol=1e-3 * abs(moved).max())
            expect(same, entry.origin, f"makes another step where {name!r} is a schedule that does not change")


def _traced_steps(entry: PartSpec, state: np.ndarray, gradients: Sequence[np.ndarray]) -> Iterator[np.ndarray]:
    """Yield a rule's steps as the engine takes them: made in the trace, from scalar tensors."""
    import tensorflow as tf

    def update(gradient: Any, memory: Any, state: Any, present: Any) -> Any:
        return entry.make(present).update(gradient, memory, state)

    traced = tf.function(update, autograph=False)
    memory = entry.make().init(state)
    present = {name: tf.constant(value, tf.float32) for name, value in entry.values_at(Progress()).items()}
    for gradient in gradients:
        moved, memory = traced(tf.constant(gradient), memory, tf.constant(state), present)
        yield np.asarray(moved)


def check_parametrization(
    factory: Callable[..., Parametrization], parameters: Mapping[str, Any] | None = None, *, tolerance: float = 0.05
) -> None:
    """Check a parametrization: it represents a photo of an odd size, and the picture's gradient reaches its state.

    Args:
        tolerance: largest mean error of ``decode(init(photo))``, on the scale of -1 to 1.

    Raises:
        AssertionError: the state is not float32, the photo is not reproduced, the gradient is zero or not finite, or
            the same seed gives another state.
        PluginError: as a user would see it.
    """
    from kerasdream.engine.decoding import pull_back

    entry = check_schema("parametrizations", factory, parameters)
    form: Parametrization = entry.make()
    who = entry.origin
    for picture in (photo(), photo()[:61, :83]):
        height, width = picture.shape[:2]
        state = form.init(picture, 1)
        expect(
            np.asarray(state).dtype == np.float32, who, f"has a state of {np.asarray(state).dtype}; expected float32"
        )
        same = (np.asarray(state) == np.asarray(form.init(picture, 1))).all()
        expect(same, who, "returns another state for the same seed")
        decoded = np.asarray(state if form.decode is None else form.decode(state, height, width))
        expect(decoded.shape == picture.shape, who, f"decodes to shape {decoded.shape}; expected {picture.shape}")
        off = abs(decoded - picture).mean()
        expect(
            off <= tolerance, who, f"does not reproduce the photo: mean error {off:.3f}; expected {tolerance} or less"
        )
        if form.decode is not None:
            gradient = np.asarray(pull_back(form.decode, state, (height, width), picture))
            expect(gradient.shape == np.asarray(state).shape, who, f"has a gradient of shape {gradient.shape}")
            expect(np.isfinite(gradient).all(), who, "has a gradient that is not finite")
            expect(gradient.any(), who, "has a gradient that is zero everywhere")
