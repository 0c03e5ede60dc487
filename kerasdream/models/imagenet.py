"""The 1000 classes of networks with ImageNet weights, by name.

``imagenet.txt`` has a line for each class of ILSVRC 2012, in the order of the networks' outputs: the names of its
WordNet synset, the primary name first. Some names belong to two classes (crane the bird and crane the machine).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from kerasdream.errors import ConfigError, did_you_mean

COUNT = 1000
"""How many classes there are."""


@cache
def classes() -> tuple[tuple[str, ...], ...]:
    """Return the names of every class, by index; the primary name first."""
    lines = Path(__file__).with_name("imagenet.txt").read_text(encoding="utf-8").splitlines()
    return tuple(tuple(name.strip() for name in line.split(",")) for line in lines)


def called(name: str) -> list[int]:
    """Return the indices of the classes with this name, ignoring case, ``_`` for blanks.

    Primary names take precedence over synonyms.
    """
    name = _plain(name)
    first = [index for index, names in enumerate(classes()) if _plain(names[0]) == name]
    return first if len(first) == 1 else [i for i, names in enumerate(classes()) if name in map(_plain, names)]


def index_of(name: str) -> int:
    """Return the index of the class with this name.

    Raises:
        ConfigError: no class has this name, or two have.
    """
    indices = called(name)
    if len(indices) != 1:
        raise ConfigError(f"expected {wanted(name)}, not {name!r}")
    return indices[0]


def wanted(name: str) -> str:
    """Return what to expect instead of a name that does not belong to exactly one class."""
    if indices := called(name):
        both = "; ".join(f"{index}: {', '.join(classes()[index])}" for index in indices)
        return f"the index of one of the classes with this name ({both})"
    near = did_you_mean(name.lower(), [one.lower() for names in classes() for one in names])
    return f"a class of ImageNet ({near if near.startswith('did') else 'kerasdream classes lists them'})"


def found(text: str) -> Iterator[int]:
    """Yield the index of every class that has the text in one of its names."""
    for index, names in enumerate(classes()):
        if any(_plain(text) in _plain(name) for name in names):
            yield index


def _plain(name: str) -> str:
    return name.replace("_", " ").strip().lower()
