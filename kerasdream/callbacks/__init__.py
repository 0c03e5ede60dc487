"""For Keras users: watch a network learn by what it dreams. Keras is imported when ``Dream`` is first used."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
