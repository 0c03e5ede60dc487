from .dream import Dream

__all__ = ["Dream"]
