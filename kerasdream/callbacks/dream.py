"""For Keras users: watch a network learn by what it dreams."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from kerasdream.api import as_picture
from kerasdream.errors import ConfigError


class Dream(keras.callbacks.Callback):
    """Dreams a picture with the network in training, every few epochs, and saves it.

    Args:
        image: what to dream on: a file, Pillow image or array (see ``kerasdream.dream``).
        folder: where the pictures go, ``epoch-0003.png``; it is created.
        every: epochs between two dreams.
        model: the part of the trained model to look at, if not all of it; it must share the trained layers.
        options: further arguments of ``kerasdream.dream``: ``objectives`` and ``input_range`` (or ``preprocess``) at
            least.

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
        """Dreams after epochs ``every``, ``2 * every`` and so on."""
        if (epoch + 1) % self.every:
            return
        from kerasdream import images

        if self._dream is None:
            self._dream = self._prepared()
        result = self._dream()
        if result.interrupted:
            raise KeyboardInterrupt
        self.folder.mkdir(parents=True, exist_ok=True)
        images.save(self.folder / f"epoch-{epoch + 1:04d}.png", result.image, recipe=result.recipe, format="png")

    def _prepared(self) -> Callable[[], Any]:
        """Builds the step once; before each further dream the network's present weights are copied into it."""
        from kerasdream.api import session_for

        session = session_for(model=self.part or self.model, **self.options)

        def dream() -> Any:
            session.step.refresh()
            return session.dream(session.sheet(self.picture))

        return dream
