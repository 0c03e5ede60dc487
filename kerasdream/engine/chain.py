"""The ascent chain in one ``tf.function``: from a gradient to the next state, without an array for every operation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from kerasdream.engine.tensorflow import pull_back
from kerasdream.errors import DreamError

if TYPE_CHECKING:
    import numpy as np

    from kerasdream.components import Parametrization
    from kerasdream.entry import Entry
    from kerasdream.schedules import Progress


class Chain:
    """Takes steps uphill: gradient, pulled back through the parametrization, through the rules, added.

    Where the picture itself is the state, it is clipped to [-1, 1] in the same go.

    Args:
        form: how the picture is held.
        entries: the ascent rules, in order.
    """

    def __init__(self, form: Parametrization, entries: Sequence[Entry]) -> None:
        self.form, self.entries = form, entries
        self._held: tuple[Any, Any] = None, None  # the last state as an array, and the tensor whose memory it shares
        self._traced: dict[Any, Any] = {}

    def step(
        self, state: Any, memory: list[Any] | None, gradient: np.ndarray, progress: Progress
    ) -> tuple[Any, list[Any]]:
        """Takes a step.

        Args:
            state: of the parametrization, at the start of the step.
            memory: that of each rule; None at the start of an octave.
            gradient: of the score with respect to the picture, ``(height, width, 3)``.

        Returns:
            The new state (an array where the picture itself is the state) and the rules' memory.

        Raises:
            PluginError: a rule returned another shape, or numbers that are not finite.
        """
        import keras
        import numpy as np
        import tensorflow as tf

        present = [entry.at(progress) for entry in self.entries]
        if memory is None:
            memory = [entry.make(now).init(state) for entry, now in zip(self.entries, present, strict=True)]
        if self.form.decode is not None:
            gradient = pull_back(self.form.decode, state, gradient.shape[:2], gradient)
        array, tensor = self._held
        start = tensor if array is not None and array is state else tf.convert_to_tensor(state)
        memory = keras.tree.map_structure(lambda leaf: leaf if leaf is None else tf.convert_to_tensor(leaf), memory)
        values = np.array([number for now in present for number in now.values()], "float32")
        arguments = start, memory, tf.convert_to_tensor(gradient), tf.convert_to_tensor(values)
        moved, memory, finite = self._move(arguments)(*arguments)
        if moved.shape != start.shape or not finite:
            self._trace(*arguments)  # rule by rule, outside the trace: the one that did it is found and named
            raise DreamError(f"the ascent rules made a step of shape {moved.shape} that is not finite")
        if self.form.decode is not None:
            return moved, memory
        self._held = np.asarray(moved), moved
        return self._held[0], memory

    def _move(self, arguments: Any) -> Any:
        """Returns the trace for arguments of this structure, types and ranks; their sizes do not matter."""
        import keras
        import tensorflow as tf

        def spec(leaf: Any) -> Any:
            return leaf if leaf is None else tf.TensorSpec([None] * len(leaf.shape), leaf.dtype)

        specs = keras.tree.map_structure(spec, arguments)
        key = repr(specs)
        if key not in self._traced:
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
        moved = state + gradient
        finite = tf.math.is_finite(tf.reduce_sum(gradient))
        moved = moved if self.form.decode is not None else tf.clip_by_value(moved, -1.0, 1.0)
        return moved, remembered, finite
