"""Concepts of one's own: a direction in a layer's activations, learned from photos that show it and photos that do not.

After Kim et al., "Interpretability Beyond Feature Attribution: Quantitative Testing with Concept Activation Vectors
(TCAV)", ICML 2018, arXiv:1711.11279, with ridge regression (Hoerl, Kennard 1970) as the linear classifier.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdream import images
from kerasdream._files import at_home
from kerasdream.api import build_network, session_for
from kerasdream.components import Objective
from kerasdream.config.recorded import checksum
from kerasdream.config.sections import DEFAULT_PARTS
from kerasdream.errors import ImageError, ModelError, OutputError, did_you_mean, setting
from kerasdream.models import known_layers, network_name

if TYPE_CHECKING:
    import keras

    from kerasdream.components import Network
    from kerasdream.config.run_config import RunConfig

FOLDS = 5
"""Into how many parts the photos of each kind are divided, at most; each part is held out once."""

FEWEST = 2
"""The fewest photos of each kind: one to learn from and one to hold out."""

CROPS = 8
"""Crops of each photo."""

SMALLEST = 0.5
"""Side of the smallest crop, as a fraction of the photo's shorter side."""

RIDGE = 10.0
"""Strength of the ridge, in units of the mean variance of the features. Learned twice, each time from half of two dozen
photos with and without stripes, the two directions agree best at this strength of 0.01, 0.1, 1, 10 and 100: in
EfficientNet-Lite0, their cosine is 0.7. At 1 it is 0.4 to 0.6, at 0.1 0.3 to 0.5."""


@dataclass(frozen=True)
class Concept:
    """A direction in a layer's activations along which photos that show something differ from photos that do not.

    Attributes:
        vector: ``(channels,)`` float32 of length 1, for the parameter ``direction`` of the objectives ``direction`` and
            ``cosine``; the concept is where the dot product with the activations is large.
        auc: how well it tells crops of photos apart that it was not learned from: the probability that a crop that
            shows the concept lies further along than one that does not. 1 is perfect, 0.5 is chance.
        layer, network: what it is a direction of.
        photos: the number of photos that show it, and of those that do not.
        notes: what the user should hear about it.
    """

    vector: np.ndarray
    auc: float
    layer: str
    network: str
    photos: tuple[int, int]
    notes: tuple[str, ...] = ()

    def save(self, path: str | Path, *, overwrite: bool = False) -> None:
        """Write the vector to a ``.npy`` file, which the objectives ``direction`` and ``cosine`` read.

        Raises:
            OutputError: the name does not end in ``.npy``, the file exists already, or it cannot be written.
        """
        path = at_home(path)
        writable(path, overwrite=overwrite)
        with images.replacing(path) as file:
            np.save(file, self.vector, allow_pickle=False)


def concept(
    shows: str | Path,
    lacks: str | Path,
    layer: str,
    *,
    model: str | Mapping[str, Any] | keras.Model | Network = DEFAULT_PARTS["model"],
    input_range: tuple[float, float] | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    crops: int = CROPS,
    ridge: float = RIDGE,
    seed: int = 0,
) -> Concept:
    """Learn a concept from two folders of photos: a direction in a layer's activations.

    The features are the means over a layer's positions, of random square crops at the size the network was trained on.
    Ridge regression on ±1 finds the direction. Its quality, ``Concept.auc``, is measured on photos held out: all crops
    of a photo are learned from, or none. The final direction is learned from all photos.

    Source: Kim et al., "Interpretability Beyond Feature Attribution (TCAV)", ICML 2018, arXiv:1711.11279.

    Args:
        shows: a folder of photos that show the concept, two or more.
        lacks: a folder of photos that do not, two or more; the more alike the two are otherwise, the purer the concept.
        layer: the layer to look at; it must have positions in the picture.
        model: a registered name, a mapping with its parameters, a Keras model or a ``Network``.
        input_range, preprocess: for a Keras model, see ``dream``.
        crops: of each photo, 1 or more; their sides are between half of its shorter side and all of it.
        ridge: how much the direction is shrunk towards the difference of the two means, relative to the mean variance
            of the features; more than 0.
        seed: of the crops.

    Raises:
        ImageError: a folder has too few pictures, both have the same, or one cannot be read.
        ModelError: the network cannot be built, has no such layer, or the layer has no positions or no response.

    >>> stripes = kerasdream.concept("stripes/", "others/", "block8_expand")
    >>> stripes.save("stripes.npy")
    """
    objective = Objective(layer, lambda activations: activations[layer][..., 0])  # a run needs one; it is not evaluated
    options = {"input_range": input_range, "preprocess": preprocess}
    given: Any = {name: value for name, value in options.items() if value is not None}
    config = session_for("kerasdream.concept", model=model, objectives=objective, **given).config
    return learned(config, layer, at_home(shows), at_home(lacks), crops=crops, ridge=ridge, seed=seed)


def learned(
    config: RunConfig,
    layer: str,
    shows: Path,
    lacks: Path,
    *,
    crops: int = CROPS,
    ridge: float = RIDGE,
    seed: int = 0,
    on_photo: Callable[[int, int], None] = lambda number, count: None,
) -> Concept:
    """Learn a concept with the network of a config; see ``concept``.

    Args:
        on_photo: called with the number of each photo, from 1, and of all photos.

    Raises:
        ValueError: there are no crops, or the ridge is not above 0.
    """
    if crops < 1 or not ridge > 0:
        raise ValueError(f"crops={crops!r}, ridge={ridge!r}: expected at least one crop, and a ridge above 0")
    name = network_name(config.model)
    if (known := known_layers(config.model)) is not None and layer not in known:
        raise ModelError(f"{name} has no layer {layer!r}; {did_you_mean(layer, known)}")
    photos = photos_in(shows), photos_in(lacks)
    check_apart(shows, lacks, photos)
    see = _features_of(build_network(config), layer)
    random, total = np.random.default_rng([seed, 0x636F6E63]), sum(map(len, photos))
    features: list[list[np.ndarray]] = [[], []]
    for number, (kind, photo) in enumerate(((k, photo) for k in (0, 1) for photo in photos[k]), 1):
        on_photo(number, total)
        features[kind].append(see(photo, crops, random))
    shown, other = (np.stack(each).astype("float64") for each in features)
    vector, auc = direction(shown, other, ridge), held_out(shown, other, ridge)
    if not vector.any():
        raise ModelError(f"the layer {layer!r} responds to all of these photos alike; choose another layer")
    notes = (_left_out(folder) for folder in (shows, lacks))
    return Concept(
        vector.astype("float32"), auc, layer, name, (len(shown), len(other)), tuple(note for note in notes if note)
    )


def writable(path: Path, *, overwrite: bool) -> None:
    """Check the name of a file to write.

    Raises:
        OutputError: it does not end in ``.npy``, its folder is missing, or it exists and may not be replaced.
    """
    if path.suffix.lower() != ".npy":
        raise OutputError(f"{path}: a concept is written as an array of NumPy; expected a name that ends in .npy")
    if not path.parent.is_dir():
        raise OutputError(f"{path}: there is no folder {path.parent}; create it, or choose another")
    if path.exists() and not overwrite:
        how = setting("--overwrite", "overwrite=True")
        raise OutputError(f"{path}: exists already; choose another name, or replace it with {how}")


def photos_in(folder: Path) -> list[Path]:
    """Return the photos in a folder, by name.

    Raises:
        ImageError: there are fewer than ``FEWEST``.
    """
    found = images.in_folder(folder)
    if len(found) < FEWEST:
        raise ImageError(f"{folder} has one picture; expected at least {FEWEST}, one of them to test with; add photos")
    return found


def check_apart(shows: Path, lacks: Path, photos: Sequence[Sequence[Path]]) -> None:
    """Check that no photo is in both folders.

    Raises:
        ImageError: one is, or the folders are the same.
    """
    if shows.resolve() == lacks.resolve():
        raise ImageError(f"{shows} is given twice; expected a folder with the concept and another one without it")
    first = {checksum(photo): photo for photo in photos[0]}
    for photo in photos[1]:
        if (same := first.get(checksum(photo))) is not None:
            raise ImageError(f"{photo} is the same file as {same}, which shows the concept; remove one of them")


def direction(shown: np.ndarray, other: np.ndarray, ridge: float) -> np.ndarray:
    """Return the direction that tells two sets of features apart, by ridge regression on ±1.

    Returns:
        ``(channels,)`` of length 1; 0 if there is none.

    Args:
        shown, other: ``(photos, crops, channels)``.
        ridge: in units of the mean variance of the features.
    """
    rows = np.concatenate([each.reshape(-1, each.shape[-1]) for each in (shown, other)])
    goal = np.repeat([1.0, -1.0], [shown.shape[0] * shown.shape[1], other.shape[0] * other.shape[1]])
    rows, goal = rows - rows.mean(0), goal - goal.mean()
    covariance = rows.T @ rows / len(rows)
    variance = np.trace(covariance) / len(covariance)
    if not variance > 0:
        return np.zeros(len(covariance))
    found = np.linalg.solve(covariance + ridge * variance * np.eye(len(covariance)), rows.T @ goal)
    return found / max(float(np.linalg.norm(found)), 1e-30)


def held_out(shown: np.ndarray, other: np.ndarray, ridge: float) -> float:
    """Return the mean AUC on photos that the direction was not learned from, over all folds.

    Photos that follow one another by name, such as a series of one scene, are in the same fold.

    Args:
        shown, other, ridge: see ``direction``.
    """
    folds = min(FOLDS, len(shown), len(other))
    parts = zip(*(np.array_split(np.arange(len(each)), folds) for each in (shown, other)), strict=True)
    found = []
    for one, two in parts:
        vector = direction(np.delete(shown, one, axis=0), np.delete(other, two, axis=0), ridge)
        found.append(auc_of((shown[one] @ vector).ravel(), (other[two] @ vector).ravel()))
    return float(np.mean(found))


def auc_of(high: np.ndarray, low: np.ndarray) -> float:
    """Return the probability that one of the numbers ``high`` is above one of ``low``; equal ones count by half."""
    above, equal = (compare(high[:, None], low).mean() for compare in (np.greater, np.equal))
    return float(above + equal / 2)


def _features_of(network: Network, layer: str) -> Callable[[Path, int, np.random.Generator], np.ndarray]:
    """Return a function of a photo, a number of crops and a generator: the features of the crops, (crops, channels).

    Raises:
        ModelError: the network has no such layer, or the layer has no positions.
    """
    from kerasdream.engine.loading import usual_keras
    from kerasdream.models.extractor import build_extractor

    extractor = build_extractor(network, [layer], side=network.side)
    if not all(axis.stride for axis in extractor.geometry[layer]):
        raise ModelError(f"the layer {layer!r} has no positions in the picture; choose an earlier layer")

    @usual_keras()
    def features(photo: Path, crops: int, random: np.random.Generator) -> np.ndarray:
        views = np.stack(list(crops_of(images.read(photo, 4 * network.side).pixels, crops, network.side, random)))
        seen = extractor.model(network.preprocess(views), training=False)[layer]
        means: np.ndarray = np.asarray(seen, "float32").mean((1, 2))
        return means

    return features


def crops_of(photo: np.ndarray, count: int, side: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield random square crops of a photo, ``(side, side, 3)``."""
    height, width = photo.shape[:2]
    for _ in range(count):
        size = max(1, round(min(height, width) * random.uniform(SMALLEST, 1)))
        top, left = (int(random.integers(length - size + 1)) for length in (height, width))
        yield images.resize(photo[top : top + size, left : left + size], (side, side))


def _left_out(folder: Path) -> str:
    said = images.left_out(file.name for file in folder.iterdir() if file.is_file())
    return said and f"left out of {folder}: {said}"
