"""The 1000 classes that networks with ImageNet weights tell apart, by name.

``imagenet.txt`` has a line for each class of ILSVRC 2012, in the order of the networks' outputs: the names of its
WordNet synset, the usual one first. Some names belong to two classes (crane the bird and crane the machine).
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
    """Returns the names of every class, by index; the usual name first."""
    lines = Path(__file__).with_name("imagenet.txt").read_text(encoding="utf-8").splitlines()
    return tuple(tuple(name.strip() for name in line.split(",")) for line in lines)


def called(name: str) -> list[int]:
    """Returns the indices of the classes with this name, in whatever case, ``_`` for blanks.

    One whose usual name it is comes before those that are also called so.
    """
    name = _plain(name)
    first = [index for index, names in enumerate(classes()) if _plain(names[0]) == name]
    return first if len(first) == 1 else [i for i, names in enumerate(classes()) if name in map(_plain, names)]


def index_of(name: str) -> int:
    """Returns the index of the class with this name.

    Raises:
        ConfigError: there is none, or there are two.
    """
    indices = called(name)
    if len(indices) != 1:
        raise ConfigError(f"expected {wanted(name)}, not {name!r}")
    return indices[0]


def wanted(name: str) -> str:
    """What is expected in place of a name that is not that of one class."""
    if indices := called(name):
        both = "; ".join(f"{index}: {', '.join(classes()[index])}" for index in indices)
        return f"the index of one of the classes called so ({both})"
    near = did_you_mean(name.lower(), [one.lower() for names in classes() for one in names])
    return f"a class of ImageNet ({near if near.startswith('did') else 'kerasdream classes lists them'})"


def found(text: str) -> Iterator[int]:
    """Yields the index of every class that has the text in one of its names."""
    for index, names in enumerate(classes()):
        if any(_plain(text) in _plain(name) for name in names):
            yield index


def _plain(name: str) -> str:
    return name.replace("_", " ").strip().lower()
