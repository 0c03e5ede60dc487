"""For Keras users: watch a network learn by what it dreams."""

from __future__ import annotations

import warnings
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import keras

from kerasdream import images
from kerasdream._files import at_home
from kerasdream.api import session_for
from kerasdream.errors import ConfigError, ModelError, NoResponseError, OutputError
from kerasdream.images.given import as_picture
from kerasdream.session.sources import sheet

if TYPE_CHECKING:
    from kerasdream.images import Picture
    from kerasdream.session.session import Session


class Dream(keras.callbacks.Callback):
    """Dream a picture with the network in training, every few epochs, and save it.

    All that can be known is checked before the first epoch: names of layers, picture, ranges, the folder, and one step
    of the dream. After that, nothing that goes wrong in a dream ends the training: it is a warning with the reason.
    Ctrl-C during a dream stops the training, as at any other time.

    Args:
        image: the photo: a file, Pillow image or array (see ``kerasdream.dream``).
        folder: where the pictures go, such as ``epoch-0003.png``; it is created, and existing files are replaced.
        every: epochs between two dreams.
        model: the part of the trained model to look at, if not all of it; it must share the trained layers.
        options: further arguments of ``kerasdream.dream``; at least ``objectives``, and ``input_range`` or
            ``preprocess``.

    Raises:
        KerasdreamError: here or before the first epoch; the message says what to do.

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
        if not isinstance(every, int) or every < 1:
            raise ConfigError(f"every={every!r}: expected a whole number of epochs between two dreams, at least 1")
        if not options.get("objectives"):
            raise ConfigError("objectives is missing; expected for example objectives={'l2': 'name_of_a_layer'}")
        self.picture = as_picture(image, options.pop("max_side", 512), options.pop("value_range", None))
        self.folder, self.every, self.part, self.options = at_home(folder), every, model, options
        self._prepared: tuple[Session, Picture] | None = None
        self._checked: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Build the step and try it once, so that whatever is wrong is said before the first epoch."""
        if self._prepared is not None and self._checked is self.model:
            return
        part = self.part or self.model
        if part is not self.model and not _share_weights(part, self.model):
            raise ModelError(
                f"the model {part.name!r} of the callback shares no weights with the trained model "
                f"{self.model.name!r}, so its dreams would never change; build it from the trained model's layers"
            )
        _create(self.folder)
        session = session_for("kerasdream.callbacks.Dream", model=part, **self.options)
        picture = sheet(self.picture, session.config.panels)
        with suppress(NoResponseError):  # a layer that is silent now may learn
            session.rehearse(picture)
        self._prepared, self._checked = (session, picture), self.model

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Dream after epochs ``every``, ``2 * every`` and so on."""
        if (epoch + 1) % self.every or self._prepared is None:
            return
        try:
            interrupted = self._dream(epoch + 1, *self._prepared)
        except Exception as error:  # hours of training are worth more than a picture
            reason = str(error) or type(error).__name__
            warnings.warn(f"no dream after epoch {epoch + 1}, training goes on: {reason}", stacklevel=2)
            return
        if interrupted:
            raise KeyboardInterrupt

    def _dream(self, epoch: int, session: Session, picture: Picture) -> bool:
        """Dream with the current weights and save the picture; return whether Ctrl-C ended it."""
        session.step.refresh()
        result = session.dream(picture)
        if not result.interrupted:
            path = self.folder / f"epoch-{epoch:04d}.png"
            alpha = result.alpha_from("attribution" if self.options.get("attribution") else "source")
            images.save(path, result.image, alpha=alpha, recipe=result.recipe, format="png", dpi=result.dpi)
        return result.interrupted


def _share_weights(part: keras.Model, model: keras.Model) -> bool:
    return bool({id(weight) for weight in part.weights} & {id(weight) for weight in model.weights})


def _create(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"the folder {folder} cannot be created ({error.strerror}); choose another") from None
