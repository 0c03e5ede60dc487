"""For Keras users: watch a network learn by what it dreams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kerasdream import images
from kerasdream.api import as_picture, session_for
from kerasdream.errors import ConfigError
from kerasdream.session.sources import sheet


class Dream(keras.callbacks.Callback):
    """Dream a picture with the network in training, every few epochs, and save it.

    Args:
        image: the photo: a file, Pillow image or array (see ``kerasdream.dream``).
        folder: where the pictures go, such as ``epoch-0003.png``; it is created.
        every: epochs between two dreams.
        model: the part of the trained model to look at, if not all of it; it must share the trained layers.
        options: further arguments of ``kerasdream.dream``; at least ``objectives``, and ``input_range`` or
            ``preprocess``.

    >>> see = kerasdream.callbacks.Dream("photo.jpg", "dreams", objectives={"l2": "conv3"}, input_range=(0, 255))
    >>> model.fit(x, y, epochs=20, callbacks=[see])
    """

    def __init__(
        self,
        image: Any,
        folder: str | Path,
        *,
        every: int = 1,
        model: keras.Model | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        if every < 1:
            raise ConfigError(f"every={every}: expected at least 1 epoch between two dreams")
        if not options.get("objectives"):
            raise ConfigError("objectives is missing; expected for example objectives={'l2': 'name_of_a_layer'}")
        self.picture = as_picture(image, options.pop("max_side", 512))
        self.folder, self.every, self.part, self.options = Path(folder), every, model, options
        self._dream: Callable[[], Any] | None = None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Dream after epochs ``every``, ``2 * every`` and so on."""
        if (epoch + 1) % self.every:
            return
        if self._dream is None:
            self._dream = self._prepared()
        result = self._dream()
        if result.interrupted:
            raise KeyboardInterrupt
        self.folder.mkdir(parents=True, exist_ok=True)
        images.save(self.folder / f"epoch-{epoch + 1:04d}.png", result.image, recipe=result.recipe, format="png")

    def _prepared(self) -> Callable[[], Any]:
        """Return a function that dreams. The step is built once, and given the current weights before each dream."""
        session = session_for(model=self.part or self.model, **self.options)

        def dream() -> Any:
            session.step.refresh()
            return session.dream(sheet(self.picture, session.config.panels))

        return dream
