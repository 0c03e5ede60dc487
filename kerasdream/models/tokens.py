"""Tokens as maps: ``(n, tokens, channels)`` of a vision transformer becomes ``(n, h, w, channels)``.

A patch layer's map ``(h, w)`` was put in a row, ``h * w`` tokens, and a class token and registers were put in front.
The extractor undoes that at its outputs, so that an objective sees a map like any other.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kerasdream.components import Tokens
from kerasdream.errors import ModelError
from kerasdream.models.geometry import AxisGeometry, spanning

if TYPE_CHECKING:
    import keras

Pair = tuple[AxisGeometry, AxisGeometry]
Grid = tuple[int | None, int | None]

MOST_EXTRA = 16
"""Tokens besides the map's that are taken for a class token and registers; more are a mistake, or something else."""


def as_map(name: str, tokens: Any, geometry: Pair, picture: Any, given: Tokens | None) -> tuple[Any, Pair]:
    """Return a layer's output as a map, with its geometry; unchanged if it does not consist of tokens.

    Args:
        name: of the layer, for errors.
        tokens: its output, a Keras tensor.
        picture: the Keras tensor of the network's input.
        given: the arrangement that the user gave, if any.

    Raises:
        ModelError: it consists of tokens, and where they lie in the picture is not known.
    """
    if len(tokens.shape) != 3:
        return tokens, geometry
    lengths = picture.shape[1:3]
    height, width = (
        spanning(axis, size, length) if given else _unfolded(axis)
        for axis, size, length in zip(geometry, given.grid if given else (0, 0), lengths, strict=True)
    )
    if not height.stride or not width.stride:
        raise ModelError(_unknown(name, f"tokens, {tuple(tokens.shape)}"))
    rows, columns = (_along(axis, length) for axis, length in zip((height, width), lengths, strict=True))
    skip = given.skip if given else None
    if None not in (tokens.shape[1], rows, columns):
        _check(name, tokens.shape[1], (rows, columns), skip, guessed=given is None)
    return _token_map(name, (height, width), (rows, columns), skip)([tokens, picture]), (height, width)


def _unfolded(axis: AxisGeometry) -> AxisGeometry:
    """Return the geometry of tokens once they are a map again."""
    return replace(axis, stride=axis.stride or axis.folded, folded=0)


def _along(axis: AxisGeometry, length: Any) -> Any:
    """Return the patches along an axis of ``length`` pixels, a number or a tensor; None if that is None."""
    if length is None:
        return None
    for stage in axis.stages:
        length = stage.size(length)
    return length


def _check(name: str, count: int, grid: tuple[int, int], skip: int | None, *, guessed: bool) -> None:
    """Raise ModelError unless a layer's number of tokens fits their arrangement."""
    patches = grid[0] * grid[1]
    extra = count - patches
    fits = 0 <= extra <= MOST_EXTRA if skip is None else extra == skip
    if guessed and not fits:
        raise ModelError(_unknown(name, f"{count} tokens, which are not the {grid[0]}×{grid[1]} patches before it"))
    if not fits:
        given = f"grid: [{grid[0]}, {grid[1]}]" + ("" if skip is None else f", skip: {skip}")
        sum_up = f"{grid[0]}×{grid[1]}" + (f" + {skip}" if skip else "")
        raise ModelError(
            f"the layer {name!r} outputs {count} tokens; the model entry sets tokens: {{{given}}}, and {sum_up} is "
            f"{patches + (skip or 0)}" + (f", which leaves {extra} to skip" if skip is None and extra > 0 else "")
        )


def _unknown(name: str, found: str) -> str:
    return (
        f"the layer {name!r} outputs {found}; where they lie in the picture does not follow from the layers before it. "
        "Say so in the model entry: tokens: {grid: [height, width], skip: tokens in front of the map's}"
    )


def _token_map(name: str, geometry: Pair, grid: Grid, skip: int | None) -> keras.layers.Layer:
    """Return a layer from tokens and the picture to the map.

    It counts tokens when it is called: some layers output another number than they declare.

    Args:
        grid: rows and columns, where they are known.
    """
    import keras

    class TokenMap(keras.layers.Layer):
        def call(self, inputs: Any) -> Any:
            tokens, picture = inputs
            (_, tall, wide, _), (_, count, channels) = map(keras.ops.shape, (picture, tokens))
            height, width = grid[0] or _along(geometry[0], tall), grid[1] or _along(geometry[1], wide)
            first = count - height * width if skip is None else skip
            return keras.ops.reshape(tokens[:, first : first + height * width], (-1, height, width, channels))

        def compute_output_shape(self, shapes: Any) -> Any:
            return (None, *grid, shapes[0][2])

    return TokenMap(name=f"{name.replace('/', '.')}.map", autocast=False)
