"""TensorFlow's errors, turned into ours where the user can do something about them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kerasdream.errors import MemoryRanOutError, ModelError


@contextmanager
def known_failures(*, tiles: bool) -> Iterator[None]:
    """Turn a failed allocation into a MemoryRanOutError, and shapes that do not fit in tiles into a ModelError."""
    import tensorflow as tf

    try:
        yield
    except (tf.errors.ResourceExhaustedError, MemoryError) as error:
        raise MemoryRanOutError(f"memory ran out: {error}".partition("\n")[0]) from None
    except tf.errors.InvalidArgumentError as error:
        if not tiles:
            raise
        cause = next((line for line in str(error).splitlines() if "hape" in line or "imension" in line), "")
        raise ModelError(
            "the network cannot compute these layers from tiles, which have many sizes; let it look at crops of its "
            f"own size: views: crops ({cause.strip() or 'TensorFlow: ' + str(error.message)})"
        ) from error
