"""Checks of the parts that are differentiated: objectives, priors, transforms, networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kerasdream.builtin.objectives.l2 import l2
from kerasdream.components import Energy, Objective, Projection, Transform
from kerasdream.plugins.spec import PartSpec
from kerasdream.testing.finished import check_projection
from kerasdream.testing.material import photo, tiny_network
from kerasdream.testing.registered import check_schema, expect, steady

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.components import Network, Term
    from kerasdream.dreaming.step import GradientStep

HALO = 32
"""Pixels around a tile that are more than the tiny network sees."""


def check_objective(
    factory: Callable[..., Objective],
    parameters: Mapping[str, Any],
    *,
    network: Network | None = None,
    picture: np.ndarray | None = None,
    source: np.ndarray | None = None,
) -> None:
    """Checks an objective as it is used: registered, in the engine, in tiles, in the algebra, with schedules.

    Args:
        factory: what the plugin registers.
        parameters: as they would stand in a run file; layers of ``network``.
        network: by default ``tiny_network()``.
        picture: ``(height, width, 3)`` float32 in [-1, 1]; by default ``photo()``.
        source: the photo that it is dreamed from, for objectives that compare with it; by default the picture mirrored.

    Raises:
        AssertionError: the density is not float32 or not finite, depends on other pictures of the batch, the gradient
            is zero or not finite, ``2 * a``, ``a + a``, ``-a`` or ``a - a`` is not what it says, tiles do not add up
            to the whole, a number does not take a schedule, or ten steps uphill do not raise it.
        PluginError: what a user would see.
    """
    import numpy as np

    entry = check_schema("objectives", factory, parameters)
    network = network or tiny_network()
    picture = photo() if picture is None else picture
    source = picture[:, ::-1] if source is None else source
    objective: Objective = entry.make()
    who = entry.origin
    ranks = _check_densities(who, objective, network, picture, source)

    compares = any(term.compares for term in objective.terms)
    if compares:  # two panels
        picture, source = (np.concatenate([one, one[::-1, ::-1]], axis=1) for one in (picture, source))
    beside = {"source": source, "panels": (1, 2) if compares else (1, 1)}
    step = _step(network, [entry])
    score, gradient = step(picture, **beside)
    _expect_slope(who, score, gradient)
    if ranks == [3]:
        tiled, _ = _step(network, [entry], tile=64)(picture, **beside)
        expect(_near(tiled, score), who, f"scores {tiled:g} in tiles, {score:g} in one piece")
    laws = {
        "2 * a": (2 * objective, 2.0),
        "a + a": (objective + objective, 2.0),
        "-a": (-objective, -1.0),
        "a - a": (objective - objective, 0.0),
    }
    for law, (combined, factor) in laws.items():
        other, slope = _step(network, [PartSpec.of("objectives", combined)])(picture, **beside)
        fits = _near(other, factor * score) and np.allclose(slope, factor * gradient, atol=1e-3 * abs(gradient).max())
        expect(fits, who, f"breaks the algebra: {law} scores {other:g}; expected {factor * score:g}")
    _check_schedules(entry, lambda scheduled: _step(network, [scheduled])(picture, **beside)[0], score)
    risen = _climbed(step, picture, 10, **beside)
    expect(risen > score, who, f"does not rise: {score:g} before ten steps uphill, {risen:g} after them")


def check_prior(
    factory: Callable[..., Energy | Projection],
    parameters: Mapping[str, Any] | None = None,
    *,
    picture: np.ndarray | None = None,
    source: np.ndarray | None = None,
) -> None:
    """Checks a prior: an energy as it is differentiated, a projection as it is applied.

    Args:
        picture: ``(height, width, 3)`` float32 in [-1, 1]; by default ``photo()``.
        source: the photo that it is dreamed from, for energies that compare with it; by default the picture mirrored.

    Raises:
        AssertionError: of an energy: the density is not float32 or not finite, the gradient is not finite, a pixel
            matters further away than ``radius``, a number does not take a schedule, or ten steps uphill do not raise
            log p. Of a projection: see ``check_postprocess``.
        PluginError: what a user would see.
    """
    import numpy as np

    entry = check_schema("priors", factory, parameters)
    made = entry.make()
    picture = photo() if picture is None else picture
    source = picture[:, ::-1] if source is None else source
    if isinstance(made, Projection):
        check_projection(entry, made.apply, picture)
        return
    who = entry.origin
    beside = [] if made.reference is None else [source[None]]
    density = np.asarray(made.log_p(picture[None], *beside))
    _expect_numbers(who, density)
    expect(
        isinstance(made.radius, int) and made.radius >= 0, who, f"has the radius {made.radius!r}; expected 0, 1, ..."
    )
    y, x = picture.shape[0] // 2, picture.shape[1] // 2
    changed = picture.copy()
    changed[y, x] = 0.3 * changed[y, x] + 0.2
    rows, columns = np.nonzero(np.asarray(made.log_p(changed[None], *beside))[0] != density[0])
    reach = max([0, *abs(rows - y), *abs(columns - x)])
    expect(reach <= made.radius, who, f"has the radius {made.radius}, but a pixel matters {reach} pixels away")
    nothing = PartSpec.of("objectives", Objective("conv1", lambda activations: 0 * activations["conv1"][..., 0]))
    step = _step(tiny_network(), [nothing], [entry])
    score, gradient = step(picture, source=source)
    _expect_slope(who, score, gradient)
    _check_schedules(
        entry, lambda scheduled: _step(tiny_network(), [nothing], [scheduled])(picture, source=source)[0], score
    )
    risen = _climbed(step, picture, 10, source=source)
    expect(risen > score, who, f"does not rise: {score:g} before ten steps uphill, {risen:g} after them")


def check_transform(factory: Callable[..., Transform], parameters: Mapping[str, Any] | None = None) -> None:
    """Checks a transform: shapes kept, one draw for all views, the same for the same seed, differentiable.

    Raises:
        AssertionError: one of these is not so, or ``margin`` or ``phase`` is not a whole number of pixels.
        PluginError: what a user would see.
    """
    import numpy as np

    from kerasdream.engine.score import step_seed

    entry = check_schema("transforms", factory, parameters)
    transform: Transform = entry.make()
    who = entry.origin
    if transform.apply is not None:
        views = np.stack([photo(), photo()])
        seen, again = (np.asarray(transform.apply(views, step_seed(np.array([1, 2], "int32"), 0))) for _ in range(2))
        _expect_numbers(who, seen)
        expect(
            (seen == again).all(), who, "gives something else for the same seed; draw with keras.random and the seed"
        )
        expect(
            (seen[0] == seen[1]).all(), who, "treats two equal views differently; one draw serves all views of a step"
        )
    objective = PartSpec.of("objectives", Objective("conv1", lambda activations: activations["conv1"][..., 0] ** 2))
    step = _step(tiny_network(), [objective], transforms=[entry])
    score, gradient = step(photo())
    _expect_slope(who, score, gradient)
    _check_schedules(entry, lambda scheduled: _step(tiny_network(), [objective], (), [scheduled])(photo())[0], score)


def check_model(factory: Callable[..., Network], parameters: Mapping[str, Any], *, layer: str) -> None:
    """Checks a network: it is built, its input range keeps black and white apart, and ``layer`` can be dreamed.

    Args:
        parameters: as they would stand in a run file; random weights will do.
        layer: one of its layers.

    Raises:
        AssertionError: one of these is not so.
        PluginError, ModelError: what a user would see.
    """
    import numpy as np

    entry = check_schema("models", factory, parameters)
    network: Network = entry.make()
    low, high = (np.asarray(network.preprocess(np.full((1, 8, 8, 3), end, "float32"))) for end in (-1, 1))
    _expect_numbers(entry.origin, np.stack([low, high]))
    expect((low != high).all(), entry.origin, "makes the same input of black and of white")
    objective = PartSpec.of("objectives", l2(layer=layer))
    score, gradient = _step(network, [objective])(photo())
    _expect_slope(entry.origin, score, gradient)


def _check_densities(
    who: str,
    objective: Objective,
    network: Network,
    picture: np.ndarray,
    source: np.ndarray,
) -> list[int]:
    """Each term on a batch of two pictures, and on each alone; returns how many axes its density has."""
    import numpy as np

    from kerasdream import images
    from kerasdream.models.extractor import build_extractor

    model = build_extractor(network.model, list(objective.layers), aliases=network.aliases, fold=False).model
    pair, sources = (np.stack([one, one[::-1, ::-1]]) for one in (picture, source))
    both, beside = model(network.preprocess(pair)), model(network.preprocess(sources))

    def density(term: Term, pictures: slice) -> np.ndarray:
        seen = [{layer: both[layer][pictures] for layer in term.layers}]
        if term.reference == "source":
            seen.append({layer: beside[layer][pictures] for layer in term.layers})
        elif term.reference is not None:
            guide = images.to_float(images.read(term.reference, network.side).stored)
            activations = model(network.preprocess(guide[None]))
            seen.append({layer: activations[layer] for layer in term.layers})
        return np.asarray(term.fn(*seen))

    ranks = []
    for term in objective.terms:
        together = density(term, slice(None))
        _expect_numbers(who, together)
        ranks.append(together.ndim)
        for number in () if term.compares else (0, 1):
            alone = density(term, slice(number, number + 1))
            same = np.allclose(alone[0], together[number], rtol=1e-4, atol=1e-4 * abs(together).max())
            expect(
                same,
                who,
                "gives a picture another score beside other pictures; reduce over positions, not the batch, or say "
                "compares=True if it is to compare panels",
            )
    return ranks


def _check_schedules(entry: PartSpec, score_of: Callable[[PartSpec], float], score: float) -> None:
    """Every number that a schedule may stand for, as one that happens not to change."""
    for name, scheduled in steady(entry):
        again = score_of(scheduled)
        expect(
            _near(again, score),
            entry.origin,
            f"scores {again:g} where {name!r} is a schedule that stays at {entry.values[name]:g}; expected {score:g}",
        )


def _step(network: Network, objectives: list, priors: Any = (), transforms: Any = (), tile: int = 512) -> GradientStep:
    from kerasdream.dreaming.step import GradientStep

    return GradientStep(network, objectives, priors, transforms, tile=tile, halo=HALO)


def _climbed(step: GradientStep, picture: np.ndarray, steps: int, **beside: Any) -> float:
    """The score after some normalised steps uphill."""
    import numpy as np

    for _ in range(steps):
        _, gradient = step(picture, **beside)
        picture = np.clip(picture + 0.01 * gradient / max(abs(gradient).mean(), 1e-12), -1, 1)
    return step(picture, **beside)[0]


def _expect_numbers(who: str, numbers: np.ndarray) -> None:
    import numpy as np

    expect(numbers.dtype == np.float32, who, f"returned {numbers.dtype}; expected float32")
    expect(np.isfinite(numbers).all(), who, "returned numbers that are not finite")


def _expect_slope(who: str, score: float, gradient: np.ndarray) -> None:
    import numpy as np

    expect(np.isfinite(score), who, f"scores {score}; expected a finite number")
    expect(np.isfinite(gradient).all(), who, "has a gradient that is not finite")
    expect(gradient.any(), who, "has a gradient that is zero everywhere; is it made of differentiable keras.ops?")


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= 1e-3 * max(abs(one), abs(other)) + 1e-6
