"""From a parametrization's state to the picture and back, in traces: operation by operation, Python takes longest."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from kerasdream.errors import PluginError

if TYPE_CHECKING:
    import numpy as np

TRACED = 1024**2
"""Pixels of the largest picture that is traced. A larger one's operations take longer than Python does; the arrays that
a ``decode`` multiplies by would be constants of the traces, which TensorFlow takes seconds to prepare."""


class Decoding:
    """A parametrization's ``decode``, and the gradient through it.

    What cannot be traced is called as it is, and so is what failed in the trace: a fault is said by its own line.

    Args:
        decode: that of ``kerasdream.Parametrization``.
        origin: the parametrization as the subject of a fault.
    """

    def __init__(self, decode: Callable[[Any, int, int], Any], origin: str = "the parametrization") -> None:
        self._decode, self._origin = decode, origin
        self._shape: tuple[int, int] | None = None
        self._traces: dict[Any, Any] = {}  # those of the present octave

    def picture(self, state: Any, shape: tuple[int, int]) -> np.ndarray:
        """Returns the picture that a state stands for, ``(height, width, 3)`` float32, clipped to [-1, 1]."""
        import tensorflow as tf

        def decoded(state: Any) -> tuple[Any, Any]:
            picture = tf.cast(self._decode(state, *shape), tf.float32)
            return tf.clip_by_value(picture, -1.0, 1.0), tf.math.is_finite(tf.reduce_sum(picture))

        return self._called("picture", decoded, shape, state).numpy()

    def pulled_back(self, state: Any, shape: tuple[int, int], gradient: Any) -> Any:
        """Returns the gradient with respect to a state, a tensor, given that with respect to the picture.

        Raises:
            PluginError: there is none.
        """

        def backward(state: Any, gradient: Any) -> tuple[Any, bool]:
            return pull_back(self._decode, state, shape, gradient), True

        pulled = self._called("gradient", backward, shape, state, gradient)
        if pulled is None:
            raise PluginError(
                f"{self._origin} decodes to a picture without a gradient with respect to the state; expected a "
                "function made of keras.ops alone"
            )
        return pulled

    def _called(self, name: str, function: Callable[..., tuple[Any, Any]], shape: tuple[int, int], *given: Any) -> Any:
        """Returns the first of what a function returns, traced if the second says that this went well."""
        import tensorflow as tf

        given = tuple(tf.convert_to_tensor(one) for one in given)
        trace = self._trace(name, function, shape, given) if shape[0] * shape[1] <= TRACED else None
        if trace is not None:
            with suppress(Exception):
                result, fine = trace(*given)
                if fine:
                    return result
        return function(*given)[0]

    def _trace(self, name: str, function: Callable[..., Any], shape: tuple[int, int], given: tuple[Any, ...]) -> Any:
        import tensorflow as tf

        if shape != self._shape:
            self._shape, self._traces = shape, {}
        key = name, *((one.shape, one.dtype) for one in given)
        if key not in self._traces:
            self._traces[key] = None  # where it fails it is not tried again
            specs = [tf.TensorSpec(one.shape, one.dtype) for one in given]
            with suppress(Exception):
                self._traces[key] = tf.function(function, autograph=False).get_concrete_function(*specs)
        return self._traces[key]


def pull_back(decode: Callable[..., Any], state: Any, shape: tuple[int, int], gradient: Any) -> Any:
    """Returns the gradient with respect to a parametrization's state, given that with respect to the picture."""
    import tensorflow as tf

    state = tf.convert_to_tensor(state)
    with tf.GradientTape() as tape:
        tape.watch(state)
        picture = decode(state, *shape)
    return tape.gradient(picture, state, output_gradients=tf.convert_to_tensor(gradient))
