"""Settings that were given and have no effect in a run, each with the reason.

To say it of another setting, add it to ``REASONS``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from kerasdream.config.document import KeyPath
from kerasdream.config.sections import NOISE, Crops, Frames, Tiles
from kerasdream.errors import Place

if TYPE_CHECKING:
    from kerasdream.config.run_config import RunConfig

Reason: TypeAlias = "Callable[[RunConfig], str]"
"""Returns why a setting has no effect in a run; nothing if it has one."""


def _when(condition: Callable[[RunConfig], bool], why: str) -> Reason:
    return lambda config: why if condition(config) else ""


_photos = _when(lambda config: NOISE not in config.image.sources, "it is for noise; a photo has its own")
_noise = _when(lambda config: set(config.image.sources) == {NOISE}, "noise has the size that image.size sets")
_cropped = _when(lambda config: config.cropped, "the network sees crops, not tiles (views)")
_tiled = _when(lambda config: not config.cropped, "the network sees tiles, not crops; for crops: views: crops")
_covering = _when(lambda config: config.count_of_crops is None, "the crops cover the picture; set crops.count as well")
_still = _when(lambda config: config.frames.count == 1, "there is a single picture (frames.count: 1)")
_one_octave = _when(lambda config: config.octaves.number == 1, "there is a single octave")
_sized = _when(lambda config: config.tiles.size != "auto", "tiles.size sets the size of the tiles")
_no_plateau = _when(lambda config: config.octaves.plateau is None, "octaves.plateau is not set")


def _no_carry(config: RunConfig) -> str:
    octaves = config.octaves
    whole = octaves.sizes is None and octaves.finest == 1 and octaves.max_side is None
    return _one_octave(config) if whole else ""


REASONS: Mapping[KeyPath, tuple[Reason, ...]] = {
    **{("image", key): (_photos,) for key in ("size", "mean", "spread")},
    ("image", "max_side"): (_noise,),
    **{("tiles", key): (_cropped,) for key in Tiles.model_fields if key not in ("batch", "memory")},
    ("tiles", "memory"): (_cropped, _sized),
    **{("crops", key): (_tiled,) for key in Crops.model_fields},
    ("crops", "spread"): (_tiled, _covering),
    **{("frames", key): (_still,) for key in Frames.model_fields if key != "count"},
    ("octaves", "scale"): (_one_octave,),
    ("octaves", "detail"): (_no_carry,),
    ("octaves", "plateau_gain"): (_no_plateau,),
}
"""Setting -> why it may have no effect."""


def without_effect(config: RunConfig, given: Mapping[KeyPath, Place]) -> Iterator[str]:
    """Yield a sentence for each setting that was given and has no effect.

    Args:
        given: the settings that were given, not by a preset, and where.
    """
    for path, where in given.items():
        for reason in REASONS.get(path, ()):
            if why := reason(config):
                yield f"{where}: {'.'.join(map(str, path))} has no effect: {why}"
                break
    if config.cropped and any(path[0] == "transforms" for path in given):
        for transform in config.transforms:
            if transform.make().apply is None:  # it moves the tiling, and nothing else
                key = ".".join(map(str, transform.path))
                yield f"{transform.place}: {key} has no effect: the network sees crops, which move anyway"
