"""Read and write pictures, and the recipe inside them."""

from kerasdream._files import replacing
from kerasdream.images.arrays import resize, to_float, to_uint8
from kerasdream.images.colors import LUMA, from_light, luma, mean_spread, to_light, with_mean_spread
from kerasdream.images.enlarging import enlarged, with_longer_side
from kerasdream.images.reading import MAX_PIXELS, Picture, fit, read, size
from kerasdream.images.recipe import MAX_RECIPE_BYTES, as_gif_comment, read_recipe
from kerasdream.images.scaled import Scaled
from kerasdream.images.writing import over_white, save

__all__ = [
    "LUMA",
    "MAX_PIXELS",
    "MAX_RECIPE_BYTES",
    "Picture",
    "Scaled",
    "as_gif_comment",
    "enlarged",
    "fit",
    "from_light",
    "luma",
    "mean_spread",
    "over_white",
    "read",
    "read_recipe",
    "replacing",
    "resize",
    "save",
    "size",
    "to_float",
    "to_light",
    "to_uint8",
    "with_longer_side",
    "with_mean_spread",
]
