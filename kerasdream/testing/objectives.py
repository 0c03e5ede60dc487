"""The check of objectives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from kerasdream import images
from kerasdream.components import Network, Objective, Term
from kerasdream.plugins.spec import PartSpec
from kerasdream.testing.material import photo, tiny_network
from kerasdream.testing.registered import check_schema, expect
from kerasdream.testing.steps import Scene, expect_gradient, expect_numbers, expect_rise, expect_schedules, near


def check_objective(
    factory: Callable[..., Objective],
    parameters: Mapping[str, Any],
    *,
    network: Network | None = None,
    picture: np.ndarray | None = None,
    source: np.ndarray | None = None,
) -> None:
    """Check an objective as it is used: registered, in the engine, in tiles, in the algebra, with schedules.

    Args:
        factory: the function that the plugin registers.
        parameters: as in a run file; layers of ``network``.
        network: ``tiny_network()`` by default.
        picture: ``(height, width, 3)`` float32 in [-1, 1]; ``photo()`` by default.
        source: the source photo, for objectives that compare with it; the mirrored picture by default.

    Raises:
        AssertionError: the density is not float32 or not finite, or depends on other pictures of the batch; the
            gradient is zero or not finite; ``3 * a - a`` does not score as ``2 * a``; tiles do not add up to the whole;
            a number does not accept a schedule; or ten steps uphill do not raise the score.
        PluginError: as a user would see it.
    """
    entry = check_schema("objectives", factory, parameters)
    network = network or tiny_network()
    picture = photo() if picture is None else picture
    source = picture[:, ::-1] if source is None else source
    objective: Objective = entry.make()
    ranks = [_check_density(entry.origin, term, objective, network, picture, source) for term in objective.terms]

    scene = Scene(picture, source, network=network)
    if any(term.compares for term in objective.terms):
        picture, source = (np.concatenate([one, one[::-1, ::-1]], axis=1) for one in (picture, source))
        scene = Scene(picture, source, (1, 2), network)
    step = scene.step([entry])
    score, gradient = step(picture)
    expect_gradient(entry.origin, score, gradient)
    _check_tiles_and_algebra(entry, objective, scene, score, gradient, tile=64 if ranks == [3] else 512)
    expect_schedules(entry, lambda scheduled: scene.step([scheduled])(picture)[0], score)
    expect_rise(entry.origin, step, picture)


def _check_tiles_and_algebra(
    entry: PartSpec, objective: Objective, scene: Scene, score: float, gradient: np.ndarray, tile: int
) -> None:
    """Check both in one evaluation, 3 * a - a in tiles; if that fails, find out which of them it was."""
    other, slope = scene.step([PartSpec.of("objectives", 3 * objective - objective)], tile=tile)(scene.picture)
    slope_fits = tile != 512 or np.allclose(slope, 2 * gradient, atol=2e-3 * abs(gradient).max())
    if near(other, 2 * score) and slope_fits:
        return
    tiled, _ = scene.step([entry], tile=tile)(scene.picture)
    expect(near(tiled, score), entry.origin, f"scores {tiled:g} in tiles, {score:g} in one piece")
    expect(False, entry.origin, f"breaks the algebra: 3 * a - a scores {other:g}; expected {2 * score:g}")


def _check_density(
    who: str, term: Term, objective: Objective, network: Network, picture: np.ndarray, source: np.ndarray
) -> int:
    """Evaluate a term on a batch of two pictures and on each alone; return the number of axes of its density."""
    from kerasdream.models.extractor import build_extractor

    model = build_extractor(network, list(objective.layers), fold=False).model
    pictures, sources = (np.stack([one, one[::-1, ::-1]]) for one in (picture, source))

    def activations(batch: np.ndarray) -> dict[str, Any]:
        found = model(network.preprocess(batch))
        return {layer: found[layer] for layer in term.layers}

    def density(part: slice) -> np.ndarray:
        arguments: list[Any] = [activations(pictures[part])]
        if term.reference == "source":
            arguments.append(activations(sources[part]))
        elif term.reference is not None:
            files = [file for path in term.guides for file in (images.in_folder(path) if path.is_dir() else [path])]
            guides = (images.to_float(images.read(file, network.side).stored) for file in files)
            seen = (activations(guide[None]) for guide in guides)
            several = term.summary or (list if isinstance(term.reference, tuple) else next)
            arguments.append(several(seen))
        return np.asarray(term.fn(*arguments))

    together = density(slice(None))
    expect_numbers(who, together)
    for number in () if term.compares else (0, 1):
        alone = density(slice(number, number + 1))
        same = np.allclose(alone[0], together[number], rtol=1e-4, atol=1e-4 * abs(together).max())
        expect(
            same,
            who,
            "scores a picture differently in a batch with other pictures; reduce over positions, not over the batch, "
            "or pass compares=True if it compares panels",
        )
    return together.ndim
