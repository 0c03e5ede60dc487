"""Read and write pictures, and the recipe inside them."""

from kerasdream._files import replacing
from kerasdream.images.arrays import resize, to_float, to_uint8
from kerasdream.images.colors import LUMA, from_light, luma, mean_spread, to_light, with_mean_spread
from kerasdream.images.enlarging import enlarged, with_longer_side
from kerasdream.images.formats import in_folder, left_out, suffixes
from kerasdream.images.html import as_html
from kerasdream.images.opacity import opacity
from kerasdream.images.reading import MAX_PIXELS, Picture, fit, from_pillow, read, size
from kerasdream.images.recipe import MAX_RECIPE_BYTES, as_gif_comment, read_recipe
from kerasdream.images.scaled import Scaled
from kerasdream.images.writing import FORMATS, Format, format_of, over_white, save

__all__ = [
    "FORMATS",
    "LUMA",
    "MAX_PIXELS",
    "MAX_RECIPE_BYTES",
    "Format",
    "Picture",
    "Scaled",
    "as_gif_comment",
    "as_html",
    "enlarged",
    "fit",
    "format_of",
    "from_light",
    "from_pillow",
    "in_folder",
    "left_out",
    "luma",
    "mean_spread",
    "opacity",
    "over_white",
    "read",
    "read_recipe",
    "replacing",
    "resize",
    "save",
    "size",
    "suffixes",
    "to_float",
    "to_light",
    "to_uint8",
    "with_longer_side",
    "with_mean_spread",
]
