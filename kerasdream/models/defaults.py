"""The layers that a run amplifies if it names no objectives.

Of the layers of a network that have positions, those at 0.55 and at 0.8 of its depth, counted in layers: from about
0.55 on, networks trained on photos draw eyes and parts of animals, later whole ones. A position spans at least 8 and 16
pixels, or as many as the network has. Layers that only prepare the input of others are left out (``BETWEEN``), and
those that one of the next four continues with equal channels and receptive field, as an activation continues its
convolution. Of the rest within 0.06 of the depth, the one with the most channels is taken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kerasdream.models.tables import Layer, layers

CHOSEN: Mapping[str, Sequence[str]] = {
    "efficientnet_lite0": ("block11_expand",),
    "efficientnet_lite1": ("block15_expand",),
    "inception_v3": ("mixed3", "mixed5"),
}
"""Networks whose default layers were chosen by eye, not by the rule."""

DEPTHS = ((0.55, 8), (0.8, 16))
"""Depth, as a fraction of the layers, and the smallest stride there, in pixels."""

NEAR = 0.06
"""How far from the depth a layer with more channels is preferred."""

BETWEEN = re.compile(
    r"pad|bn\b|_bn|norm|dropout|rescaling|random|resizing|noise|pool|squeeze|excit|_se_|depthwise|dwconv|_dw_"
    r"|functional$|sequential$",
    re.IGNORECASE,
)
"""Names of layers that only prepare the input of others, or work on single channels."""


def named(model: str) -> Sequence[str]:
    """Return the default layers of a named network; none if it has no layer table."""
    return CHOSEN.get(model) or by_depth(layers(model) or ())


def by_depth(rows: Sequence[Layer], kinds: Mapping[Layer, str] | None = None) -> list[str]:
    """Return the layers of a network that lie in the middle and late, by the rule above, without duplicates.

    Args:
        kinds: the layers' class names, where they are known; they count like names.
    """
    names = {row: f"{row.name} {(kinds or {}).get(row, '')}" for row in rows}
    following = [rows[index + 1 : index + 5] for index in range(len(rows))]
    fit = [
        ((index + 1) / len(rows), row)
        for index, row in enumerate(rows)
        if row.stride and not BETWEEN.search(names[row]) and all(row[1:] != later[1:] for later in following[index])
    ]
    if not fit:
        return []
    widest = max(row.stride for _, row in fit)
    found = []
    for depth, least in DEPTHS:
        deep = [(at, row) for at, row in fit if row.stride >= min(least, widest)]
        nearest = min(abs(at - depth) for at, _ in deep)
        near = [(at, row) for at, row in deep if abs(at - depth) <= max(NEAR, nearest)]
        _, row = max(near, key=lambda pair: (pair[1].channels, -abs(pair[0] - depth)))
        found.append(row.name)
    return list(dict.fromkeys(found))
