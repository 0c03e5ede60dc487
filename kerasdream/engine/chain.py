"""The ascent chain as one ``tf.function``: from a gradient to the next state without an array for every operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kerasdream.engine.canvas import as_tensor, home
from kerasdream.errors import DreamError

if TYPE_CHECKING:
    from kerasdream.engine.decoding import Decoding
    from kerasdream.plugins.spec import PartSpec
    from kerasdream.schedules import Progress


class Chain:
    """Takes ascent steps: pulls the gradient back through the parametrization, applies the rules, adds the result.

    If the picture itself is the state, it is clipped to [-1, 1] in the same trace.

    Args:
        entries: the ascent rules, in order.
        decoding: from the state to the picture; None if the state is the picture.
        strength: factor of what the last rule returns.
    """

    def __init__(self, entries: Sequence[PartSpec], decoding: Decoding | None = None, *, strength: float = 1.0) -> None:
        self.entries, self.decoding, self.strength = entries, decoding, strength
        self._traced: dict[Any, Any] = {}

    def step(
        self,
        state: Any,
        memory: list[Any] | None,
        gradient: Any,
        progress: Progress,
        window: tuple[slice, slice] | None = None,
    ) -> tuple[Any, list[Any]]:
        """Take a step.

        Args:
            state: of the parametrization, at the start of the step; array or tensor.
            memory: each rule's memory; None at the start of an octave.
            gradient: of the score with respect to the picture, a ``(height, width, 3)`` array or tensor.
            window: rows and columns that were evaluated; None: all. If the state is the picture, only that window is
                stepped, as if it were the whole picture; the rest of the picture and of the rules' memory is kept.

        Returns:
            The new state, array or tensor, and the rules' new memory.

        Raises:
            PluginError: a rule returned a different shape, or numbers that are not finite.
        """
        import keras

        if memory is None:
            memory = [entry.make(entry.values_at(progress)).init(state) for entry in self.entries]
        if window is None or self.decoding is not None:
            return self._step(state, memory, gradient, progress)

        def seen(leaf: Any) -> Any:
            return np.asarray(leaf)[window] if getattr(leaf, "shape", None) == state.shape else leaf

        def pasted(old: Any, new: Any) -> Any:
            if getattr(old, "shape", None) != state.shape:
                return new
            whole = np.array(old)
            whole[window] = new
            return whole

        moved, changed = self._step(
            seen(state), keras.tree.map_structure(seen, memory), np.asarray(gradient)[window], progress
        )
        return pasted(state, moved), keras.tree.map_structure(pasted, memory, changed)

    def _step(self, state: Any, memory: list[Any], gradient: Any, progress: Progress) -> tuple[Any, list[Any]]:
        import keras
        import tensorflow as tf

        place = home(gradient.shape[0] * gradient.shape[1])
        present = [entry.values_at(progress) for entry in self.entries]
        if self.decoding is not None:
            gradient = self.decoding.pulled_back(state, gradient.shape[:2], gradient)
        memory = keras.tree.map_structure(lambda leaf: leaf if leaf is None else tf.convert_to_tensor(leaf), memory)
        values = np.array([number for now in present for number in now.values()], "float32")
        with tf.device(place):
            start = as_tensor(state)
            arguments = start, memory, as_tensor(gradient), tf.convert_to_tensor(values)
            moved, memory, finite = self._move(arguments, place)(*arguments)
        if moved.shape != start.shape or not finite:
            self._trace(*arguments)  # eagerly, rule by rule: raises at the rule responsible and names it
            raise DreamError(
                f"after the ascent rules the state is not finite, or has the shape {tuple(moved.shape)} instead of "
                f"{tuple(start.shape)}; try a smaller rate"
            )
        return moved, memory

    def _move(self, arguments: Any, place: str | None) -> Any:
        """Return the trace for arguments of this structure, dtypes and ranks on a device; their sizes do not matter."""
        import keras
        import tensorflow as tf

        leaves = keras.tree.flatten(arguments)
        key = (place, *((leaf.dtype, len(leaf.shape)) if leaf is not None else None for leaf in leaves))
        if key not in self._traced:
            specs = keras.tree.map_structure(
                lambda leaf: leaf if leaf is None else tf.TensorSpec([None] * len(leaf.shape), leaf.dtype), arguments
            )
            self._traced[key] = tf.function(self._trace, autograph=False).get_concrete_function(*specs)
        return self._traced[key]

    def _trace(self, state: Any, memory: list[Any], gradient: Any, values: Any) -> tuple[Any, list[Any], Any]:
        import tensorflow as tf

        numbers = iter(tf.unstack(values, sum(len(entry.schedules) for entry in self.entries)))
        remembered = []
        for entry, past in zip(self.entries, memory, strict=True):
            rule = entry.make({name: next(numbers) for name in entry.schedules})
            gradient, past = rule.update(gradient, past, state)
            remembered.append(past)
        if self.strength != 1:
            gradient = gradient * self.strength
        finite = tf.math.is_finite(tf.reduce_sum(gradient))  # the sum is finite only if every element is
        with tf.control_dependencies([finite]):  # check first, then add: the sum can reuse the gradient's buffer
            moved = state + gradient
        if self.decoding is None:
            moved = tf.clip_by_value(moved, -1.0, 1.0)  # two operations, and faster than tf.raw_ops.ClipByValue
        return moved, remembered, finite
