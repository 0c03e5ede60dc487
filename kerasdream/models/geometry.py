"""How a layer's positions map to the pixels of the picture: stride, receptive field, sizes that lose no pixel.

Worked out along one axis while the graph is rebuilt, so it costs nothing and needs no trial run of the network. A
strided VALID layer drops the rows that do not fill its last window; those pixels would never be dreamed. ``residue``
describes the picture sizes for which no layer drops any (251, 267, 299 for InceptionV3's mixed5: 11 modulo 16).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from kerasdream.plan.tiling import Lattice, joint

_EXACT = {
    "Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "BatchNormalization", "Add", "Subtract", "Multiply", "Average",
    "Maximum", "Minimum", "Concatenate", "Dropout", "SpatialDropout2D", "GaussianNoise", "Identity", "Rescaling",
    "Normalization", "LayerNormalization", "LayerScale", "StochasticDepth", "Preprocessing",
}  # fmt: skip
"""Layers that treat every position by itself; any other layer without a window makes the receptive field unknown."""


_REDUCTIONS = {"Mean", "Max", "Sum"}
"""Operations of ``keras.ops`` that pool all positions if no axes are left."""


@dataclass(frozen=True)
class Stage:
    """One layer with a window, along one axis: ``window`` wide every ``stride``, ``pad`` added before (SAME: None)."""

    window: int
    stride: int
    pad: int | None

    def size(self, length: int) -> int:
        """Positions out of ``length`` positions in."""
        if self.pad is None:
            return -(-length // self.stride)
        return (length + self.pad - self.window) // self.stride + 1

    def dropped(self, length: int) -> int:
        """How many of ``length`` positions in are beyond the last full window."""
        return 0 if self.pad is None else (length + self.pad - self.window) % self.stride


@dataclass(frozen=True)
class AxisGeometry:
    """Geometry of a layer along one axis, in pixels of the picture.

    Attributes:
        stride: pixels between two positions; 0 if the axis no longer exists (global pooling, Flatten).
        field: pixels one position sees (receptive field); a lower bound if ``local`` is false.
        local: whether ``field`` is all that a position depends on (not so after global pooling or attention).
        coarsest: the largest stride on the way: multiples of it suit every layer, a decoder's too.
        stages: the windows on the way, for computing sizes.
        folded: pixels between two positions that are now tokens in a row, ``(n, tokens, channels)``; 0: there are none.
        bound: whether the layer can only follow from pictures of the network's own size (Flatten, tokens).
    """

    stride: int = 1
    field: int = 1
    local: bool = True
    coarsest: int = 1
    stages: tuple[Stage, ...] = ()
    folded: int = 0
    bound: bool = False

    def positions(self, length: int) -> int:
        """Positions along the axis for a picture of ``length`` pixels; 0 if it is too small."""
        for stage in self.stages:
            length = stage.size(length)
            if length < 1:
                return 0
        return length

    @property
    def residue(self) -> int:
        """The remainder modulo ``coarsest`` of sizes that lose no pixel; 0 for networks with SAME padding."""
        base = self.coarsest * (self.field // self.coarsest + 8)

        def dropped(length: int) -> int:
            lost = 0
            for stage in self.stages:
                lost += stage.dropped(length)
                length = stage.size(length)
            return lost

        return min(range(self.coarsest), key=lambda residue: dropped(base + residue))

    @property
    def smallest(self) -> int:
        """The smallest picture that leaves two positions along the axis (one, if the axis is reduced later)."""
        least = 2 if self.stride else 1
        return next(length for length in range(1, 100_000) if self.positions(length) >= least)


def after(
    layer: Any, inputs: Sequence[AxisGeometry], axis: int, shape: Sequence[int | None], picture: int | None = None
) -> AxisGeometry:
    """Return the geometry after a Keras layer along one axis (0: height, 1: width).

    Args:
        inputs: the geometry of its inputs.
        shape: of its output; with fewer than four axes, positions are folded into tokens or no longer exist.
        picture: length of the picture along the axis, if there is only one.
    """
    spatial = [g for g in inputs if g.stride]
    if not spatial:
        return _unfolded(inputs, axis, shape, picture) if inputs else AxisGeometry(stride=0, local=False)
    before = replace(
        max(spatial, key=lambda g: g.field),
        local=all(g.local for g in inputs),
        coarsest=max(g.coarsest for g in inputs),
        bound=any(g.bound for g in inputs),
    )
    kind = type(layer).__name__
    if kind.startswith("Global") or (kind in _REDUCTIONS and len(shape) != 4):
        return replace(before, stride=0, local=False)
    if len(shape) != 4:
        return _folded(layer, before, axis, tokens=len(shape) == 3)
    if kind == "ZeroPadding2D":
        return replace(before, stages=(*before.stages, Stage(1, 1, sum(layer.padding[axis]))))
    if kind == "Cropping2D":
        return replace(before, stages=(*before.stages, Stage(1, 1, -sum(layer.cropping[axis]))))
    if kind in ("UpSampling2D", "Conv2DTranspose"):
        factor = (layer.size if kind == "UpSampling2D" else layer.strides)[axis]
        return replace(before, stride=max(1, before.stride // factor), local=False)
    window = getattr(layer, "kernel_size", None) or getattr(layer, "pool_size", None)
    if window is None:
        return before if kind in _EXACT else replace(before, local=False)
    size, stride = window[axis], layer.strides[axis]
    dilation = getattr(layer, "dilation_rate", 1)
    span = (size - 1) * (dilation if isinstance(dilation, int) else dilation[axis]) + 1
    stage = Stage(span, stride, 0 if layer.padding == "valid" else None)
    return replace(
        before,
        stride=before.stride * stride,
        field=before.field + (span - 1) * before.stride,
        coarsest=max(before.coarsest, before.stride * stride),
        stages=(*before.stages, stage),
    )


def scaled(layer: Any, ratio: int, inputs: Sequence[AxisGeometry]) -> AxisGeometry:
    """Return the geometry after a layer that is not Keras's and has one position out for ``ratio`` positions in."""
    local = ratio == 1 and type(layer).__name__ in _EXACT and all(g.local for g in inputs)
    before = replace(max(inputs, key=lambda g: (g.stride > 0, g.field)), local=local)
    stride = before.stride * ratio
    stages = (*before.stages, Stage(ratio, ratio, None)) if ratio > 1 else before.stages
    coarsest, bound = max(stride, *(g.coarsest for g in inputs)), any(g.bound for g in inputs)
    return replace(before, stride=stride, coarsest=coarsest, stages=stages, bound=bound)


def _folded(layer: Any, before: AxisGeometry, axis: int, *, tokens: bool) -> AxisGeometry:
    """Return the geometry behind a layer that puts all positions of a map in a row."""
    patch = getattr(layer, "patch_size", None)
    if patch and before.coarsest == 1:  # a layer that cuts the patches itself
        size = int(patch if isinstance(patch, int) else patch[axis])
        before = replace(before, stride=size, field=size, coarsest=size, stages=(*before.stages, Stage(size, size, 0)))
    return replace(before, stride=0, folded=before.stride if tokens else 0, local=False, bound=True)


def _unfolded(
    inputs: Sequence[AxisGeometry], axis: int, shape: Sequence[int | None], picture: int | None
) -> AxisGeometry:
    """Return the geometry behind a layer whose inputs have no positions: a map again if its output is one."""
    before = next((g for g in inputs if g.folded), inputs[0])
    before = replace(before, local=False, bound=any(g.bound for g in inputs))
    if len(shape) != 4 or not before.bound:
        return before
    size = shape[axis + 1]
    if picture is None or size is None or before.positions(picture) == size:
        return replace(before, stride=before.folded, folded=0)
    return spanning(before, size, picture)


def spanning(before: AxisGeometry, size: int, picture: int) -> AxisGeometry:
    """Return the geometry of ``size`` positions spread evenly over ``picture`` pixels, whatever comes before."""
    if size < 2:
        return before
    stride = max(1, round(picture / size))
    stages = (Stage(picture - (size - 1) * stride, stride, 0),)
    return replace(before, stride=stride, folded=0, local=False, coarsest=stride, stages=stages, bound=True)


def lattice_of(pair: Sequence[AxisGeometry]) -> Lattice:
    """Return the sizes of views, the same along both axes, that suit a layer with this (height, width) geometry."""
    return joint([Lattice(axis.coarsest, axis.residue, axis.smallest) for axis in pair])
