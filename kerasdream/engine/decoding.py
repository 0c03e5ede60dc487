"""From a parametrization's state to the picture and back, traced: eager execution spends most of its time in Python."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from kerasdream.errors import PluginError

TRACED = 1024**2
"""Pixels of the largest picture that is traced. Above that, Python takes less time than the operations, and the arrays
that a ``decode`` multiplies by would become constants of the trace, which TensorFlow takes seconds to prepare."""

UNTRACEABLE = AttributeError, NotImplementedError, TypeError, ValueError
"""Raised by code that needs a tensor's numbers while it is traced (``x.numpy()``, ``np.exp(x)``, ``float(x)``, ``if
x:``), or that makes a variable."""


class Decoding:
    """A parametrization's ``decode``, and the gradient through it.

    A ``decode`` that cannot be traced runs eagerly, which takes longer and is noted. Any other error in it is raised.

    Args:
        decode: ``kerasdream.Parametrization.decode``.
        origin: the parametrization, as the subject of an error message.

    Attributes:
        notes: what the user should hear.
    """

    def __init__(self, decode: Callable[[Any, int, int], Any], origin: str = "the parametrization") -> None:
        self.notes: tuple[str, ...] = ()
        self._decode, self._origin = decode, origin
        self._shape: tuple[int, int] | None = None
        self._traces: dict[Any, Any] = {}  # of the current octave

    def picture(self, state: Any, shape: tuple[int, int]) -> np.ndarray:
        """Return the picture that a state decodes to, ``(height, width, 3)`` float32, clipped to [-1, 1]."""
        import tensorflow as tf

        def decoded(state: Any) -> tuple[Any, Any]:
            picture = tf.cast(self._decode(state, *shape), tf.float32)
            return tf.clip_by_value(picture, -1.0, 1.0), tf.math.is_finite(tf.reduce_sum(picture))

        return self._call("picture", decoded, shape, state).numpy()

    def pulled_back(self, state: Any, shape: tuple[int, int], gradient: Any) -> Any:
        """Return the gradient with respect to a state, a tensor, given the gradient with respect to the picture.

        Raises:
            PluginError: the picture has no gradient with respect to the state.
        """

        def backward(state: Any, gradient: Any) -> tuple[Any, bool]:
            return pull_back(self._decode, state, shape, gradient), True

        pulled = self._call("gradient", backward, shape, state, gradient)
        if pulled is None:
            raise PluginError(
                f"{self._origin} decodes to a picture without a gradient with respect to the state; expected a "
                "function that uses only keras.ops"
            )
        return pulled

    def _call(self, name: str, function: Callable[..., tuple[Any, Any]], shape: tuple[int, int], *given: Any) -> Any:
        """Return the first of the two values that a function returns.

        If the second, computed in the trace, is false, the function is run eagerly: its own check then raises.
        """
        import tensorflow as tf

        given = tuple(tf.convert_to_tensor(one) for one in given)
        if self.notes or shape[0] * shape[1] > TRACED:
            return function(*given)[0]
        try:
            trace = self._trace(name, function, shape, given)
        except (*UNTRACEABLE, PluginError) as error:
            cause = error.__cause__ if isinstance(error, PluginError) else error
            if not isinstance(cause, UNTRACEABLE):
                raise
            result = function(*given)[0]  # raises if the error has nothing to do with tracing
            reason = f"{type(cause).__name__}: {cause}".partition("\n")[0].rstrip(".")
            slow = f"{self._origin} cannot be traced ({reason}) and runs slower; use only keras.ops in decode"
            self.notes = (slow,)
            return result
        try:
            result, fine = trace(*given)
        except tf.errors.InvalidArgumentError:
            fine = False
        return result if fine else function(*given)[0]

    def _trace(self, name: str, function: Callable[..., Any], shape: tuple[int, int], given: tuple[Any, ...]) -> Any:
        import tensorflow as tf

        if shape != self._shape:
            self._shape, self._traces = shape, {}
        key = name, *((one.shape, one.dtype) for one in given)
        if key not in self._traces:
            specs = [tf.TensorSpec(one.shape, one.dtype) for one in given]
            self._traces[key] = tf.function(function, autograph=False).get_concrete_function(*specs)
        return self._traces[key]


def pull_back(decode: Callable[..., Any], state: Any, shape: tuple[int, int], gradient: Any) -> Any:
    """Return the gradient with respect to a parametrization's state, given that with respect to the picture."""
    import tensorflow as tf

    state = tf.convert_to_tensor(state)
    with tf.GradientTape() as tape:
        tape.watch(state)
        picture = decode(state, *shape)
    return tape.gradient(picture, state, output_gradients=tf.convert_to_tensor(gradient))
