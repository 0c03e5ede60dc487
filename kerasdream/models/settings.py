"""Settings of Keras for the whole process: float type, order of channels, precision. None may reach a dream."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple


class Settings(NamedTuple):
    """What ``keras.config`` sets for the whole process."""

    floatx: str
    image_data_format: str
    dtype_policy: Any

    @classmethod
    def now(cls) -> Settings:
        """Return what is set."""
        from keras import config

        return cls(config.floatx(), config.image_data_format(), config.dtype_policy())

    def set(self) -> None:
        """Set them."""
        from keras import config

        config.set_floatx(self.floatx)
        config.set_image_data_format(self.image_data_format)
        config.set_dtype_policy(self.dtype_policy)

    @property
    def usual(self) -> bool:
        """Whether they are Keras's own."""
        return (self.floatx, self.image_data_format, self.dtype_policy.name) == USUAL


USUAL = Settings("float32", "channels_last", "float32")

_users: list[Settings] = []
"""The user's settings, while the usual ones are in force in their place."""


@contextmanager
def usual_settings() -> Iterator[None]:
    """Let Keras work with its own settings, whatever the user has set; also a decorator."""
    given = Settings.now()
    if given.usual:
        yield
        return
    _users.append(given)
    USUAL.set()
    try:
        yield
    finally:
        _users.pop().set()


@contextmanager
def users_settings() -> Iterator[None]:
    """Within ``usual_settings``: let Keras work with the user's, for code of the user."""
    if not _users:
        yield
        return
    _users[-1].set()
    try:
        yield
    finally:
        USUAL.set()
