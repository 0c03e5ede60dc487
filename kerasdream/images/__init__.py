"""Reading and writing pictures, and the recipe inside them.

Nothing here imports numpy or Pillow before a picture is touched, so that importing it costs nothing.
"""

from kerasdream.images.arrays import resize, to_float, to_uint8
from kerasdream.images.colors import LUMA, from_light, luma, to_light
from kerasdream.images.files import replacing
from kerasdream.images.reading import MAX_PIXELS, Picture, read, size
from kerasdream.images.recipe import MAX_RECIPE_BYTES, read_recipe
from kerasdream.images.scaled import Scaled
from kerasdream.images.writing import save

__all__ = [
    "LUMA",
    "MAX_PIXELS",
    "MAX_RECIPE_BYTES",
    "Picture",
    "Scaled",
    "from_light",
    "luma",
    "read",
    "read_recipe",
    "replacing",
    "resize",
    "save",
    "size",
    "to_float",
    "to_light",
    "to_uint8",
]
