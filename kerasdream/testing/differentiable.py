"""The checks of priors, transforms and networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kerasdream import ops
from kerasdream.components import Energy, Network, Objective, Projection, Transform
from kerasdream.plugins.spec import PartSpec
from kerasdream.testing.finished import check_projection
from kerasdream.testing.material import photo
from kerasdream.testing.registered import check_schema, expect
from kerasdream.testing.steps import Scene, expect_gradient, expect_numbers, expect_rise, expect_schedules


def check_prior(
    factory: Callable[..., Energy | Projection],
    parameters: Mapping[str, Any] | None = None,
    *,
    picture: np.ndarray | None = None,
    source: np.ndarray | None = None,
) -> None:
    """Check a prior: an energy by differentiating it, a projection by applying it.

    Args:
        picture: ``(height, width, 3)`` float32 in [-1, 1]; ``photo()`` by default.
        source: the source photo, for energies that compare with it; the mirrored picture by default.

    Raises:
        AssertionError: for an energy: the density is not float32 or not finite, the gradient is not finite, a pixel
            has influence beyond ``radius``, a number does not accept a schedule, or ten steps uphill do not raise
            log p. For a projection: see ``check_postprocess``.
        PluginError: as a user would see it.
    """
    entry = check_schema("priors", factory, parameters)
    made = entry.make()
    picture = photo() if picture is None else picture
    if isinstance(made, Projection):
        check_projection(entry, made.apply, picture)
        return
    scene = Scene(picture, picture[:, ::-1] if source is None else source)
    _check_log_p(entry.origin, made, scene)
    nothing = PartSpec.of("objectives", Objective("conv1", lambda activations: 0 * activations["conv1"][..., 0]))
    step = scene.step([nothing], [entry])
    score, gradient = step(picture)
    expect_gradient(entry.origin, score, gradient)
    expect_schedules(entry, lambda scheduled: scene.step([nothing], [scheduled])(picture)[0], score)
    expect_rise(entry.origin, step, picture)


def _check_log_p(who: str, made: Energy, scene: Scene) -> None:
    """Check the density, and that a changed pixel has no influence beyond the radius."""
    picture, source = scene.picture, scene.source
    references = [] if made.reference is None or source is None else [source[None]]
    density = np.asarray(made.log_p(picture[None], *references))
    expect_numbers(who, density)
    y, x = picture.shape[0] // 2, picture.shape[1] // 2
    changed = picture.copy()
    changed[y, x] = 0.3 * changed[y, x] + 0.2
    rows, columns = np.nonzero(np.asarray(made.log_p(changed[None], *references))[0] != density[0])
    reach = max([0, *abs(rows - y), *abs(columns - x)])
    expect(reach <= made.radius, who, f"has the radius {made.radius}, but a pixel has influence {reach} pixels away")


def check_transform(factory: Callable[..., Transform], parameters: Mapping[str, Any] | None = None) -> None:
    """Check a transform: it keeps the shape, draws once for all views, is reproducible and differentiable.

    Raises:
        AssertionError: it is not, or ``margin`` or ``phase`` is not a whole number of pixels.
        PluginError: as a user would see it.
    """
    entry = check_schema("transforms", factory, parameters)
    transform: Transform = entry.make()
    if transform.apply is not None:
        _check_draws(entry.origin, transform.apply)
    scene = Scene(photo())
    objective = PartSpec.of("objectives", Objective("conv1", lambda activations: activations["conv1"][..., 0] ** 2))
    score, gradient = scene.step([objective], transforms=[entry])(scene.picture)
    expect_gradient(entry.origin, score, gradient)
    expect_schedules(entry, lambda scheduled: scene.step([objective], transforms=[scheduled])(scene.picture)[0], score)


def _check_draws(who: str, apply: Callable[..., Any]) -> None:
    """Check that equal seeds give equal results, and that all views of a step share what is not drawn for each."""
    from kerasdream.engine.score import step_seed

    views = np.stack([photo(), photo()])
    seeds = [step_seed(np.array([1, 2, 0], "int32"), 0) for _ in range(2)]
    seen, again = (np.asarray(apply(views, seed)) for seed in seeds)
    expect_numbers(who, seen)
    expect((seen == again).all(), who, "returns different results for the same seed; use keras.random with the seed")
    shared = seeds[0].parted or (seen[0] == seen[1]).all()
    expect(shared, who, "treats two equal views differently; draw once for all views of a step, or with seed.of_views")


def check_model(factory: Callable[..., Network], parameters: Mapping[str, Any], *, layer: str) -> None:
    """Check a network: it can be built, its input range separates black from white, and ``layer`` can be dreamed.

    Args:
        parameters: as in a run file; random weights are fine.
        layer: one of its layers.

    Raises:
        AssertionError: one of these fails.
        PluginError, ModelError: as a user would see it.
    """
    entry = check_schema("models", factory, parameters)
    network: Network = entry.make()
    low, high = (np.asarray(network.preprocess(np.full((1, 8, 8, 3), end, "float32"))) for end in (-1, 1))
    expect_numbers(entry.origin, np.stack([low, high]))
    expect((low != high).all(), entry.origin, "gives black and white the same input")
    energy = Objective(layer, lambda activations: ops.mean(activations[layer] ** 2, axis=-1))
    score, gradient = Scene(photo(), network=network).step([PartSpec.of("objectives", energy)])(photo())
    expect_gradient(entry.origin, score, gradient)
