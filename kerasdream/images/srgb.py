"""Convert what Pillow decodes to sRGB."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import BITSPERSAMPLE, SAMPLEFORMAT


def to_srgb(image: Image.Image, notes: list[str]) -> Image.Image:
    """Return the picture in mode RGB, RGBA (if any pixel is transparent) or F (deep grey, 0 black to 1 white)."""
    profile = image.info.get("icc_profile")
    if image.mode == "F" or image.mode.startswith("I"):
        if profile:
            notes.append("its colour profile was ignored: it has more than 8 bits per pixel")
        if image.has_transparency_data:
            notes.append("its transparent colour was ignored: it has more than 8 bits per pixel")
        return _deep_grey(image, notes)
    alpha = None
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        alpha = image.getchannel("A")
        image = image.convert("RGB")
    if profile:
        image = _apply_profile(image, profile, grey, notes)
    elif image.mode == "CMYK":
        notes.append("CMYK without a colour profile: colours are approximate")
    if image.mode != "RGB":
        image = image.convert("RGB")
    if alpha is not None and alpha.getextrema() != (255, 255):
        image.putalpha(alpha)
    return image


def _deep_grey(image: Image.Image, notes: list[str]) -> Image.Image:
    values = np.asarray(image).astype(np.float32)
    low, high = float(values.min()), float(values.max())
    white = 1.0 if image.mode == "F" else 32767.0 if _is_signed_16(image) else 65535.0
    if not np.isfinite([low, high]).all():
        raise ValueError("it has values that are not finite")
    if low < 0 or high > white:
        notes.append(f"its values range from {low:g} to {high:g} and were rescaled from black to white")
        return Image.fromarray((values - low) / ((high - low) or 1))
    return Image.fromarray(values / white)


def _is_signed_16(image: Image.Image) -> bool:
    tags = getattr(image, "tag_v2", {})  # of a TIFF
    return tags.get(SAMPLEFORMAT) == (2,) and tags.get(BITSPERSAMPLE) == (16,)


def _apply_profile(image: Image.Image, profile: bytes, grey: bool, notes: list[str]) -> Image.Image:
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = source.profile.xcolor_space.strip()
        mode = "CMYK" if image.mode == "CMYK" else "L" if grey and space == "GRAY" else "RGB"
        if space != {"L": "GRAY"}.get(mode, mode):
            raise ValueError(f"a profile for {space}")
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image.convert(mode), source, srgb, outputMode="RGB")
        return image if converted is None else converted  # None only for inPlace=True
    except (ImageCms.PyCMSError, OSError, ValueError, ImportError):  # ImportError: Pillow built without LittleCMS
        notes.append("its colour profile was ignored: it is corrupt or does not fit")
        return image
