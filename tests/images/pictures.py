"""Pictures and files that the tests of ``kerasdream.images`` share."""

import struct
import zlib

import numpy as np
import pytest
import skimage.data
from PIL import Image, ImageCms

from kerasdream import images
from kerasdream.errors import ImageError, printable
from kerasdream.images import files

CAT = skimage.data.chelsea()[20:140, 100:271]  # (120, 171, 3) uint8, sides odd and even
GREY = CAT[..., 1]
RAMP = np.broadcast_to(np.linspace(0, 255, CAT.shape[1]).astype(np.uint8), CAT.shape[:2])  # from clear to opaque
HEIGHT, WIDTH = CAT.shape[:2]
DEEP = (np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) * 3 + 17).astype(np.uint16)


def floats(levels):
    """The contract, written out: 0..255 is -1..1."""
    return (levels.astype(np.float64) - 127.5) / 127.5


def grey3(levels):
    return np.stack([levels] * 3, axis=-1)


def off(picture, levels):
    """The largest difference from the levels 0..255, in levels."""
    assert picture.pixels.dtype == np.float32
    assert picture.pixels.shape == levels.shape
    return np.abs(picture.pixels - floats(levels)).max() * 127.5


def put(path, array, mode=None, **options):
    picture = array if isinstance(array, Image.Image) else Image.fromarray(array)
    (picture.convert(mode) if mode else picture).save(path, **options)
    return path


def png(size, colour, *chunks, depth=8):
    """A PNG made by hand: its IHDR (colour: 0 grey, 2 RGB), then the chunks as given."""
    header = struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, 0)
    whole = [(b"IHDR", header), *chunks, (b"IEND", b"")]
    return files.PNG_SIGNATURE + b"".join(chunk(kind, data) for kind, data in whole)


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def swapped_profile():
    """An sRGB profile with the primaries of red and blue exchanged: reading it as sRGB exchanges the channels."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    table, rest = profile[:512], profile[512:]
    return table.replace(b"rXYZ", b"????").replace(b"bXYZ", b"rXYZ").replace(b"????", b"bXYZ") + rest


def grey_profile(gamma):
    """A grey profile (ICC.1:2001-04), made by hand: a white point and a gamma."""
    white = b"XYZ \0\0\0\0" + struct.pack(">iii", 63190, 65536, 54061)  # D50
    curve = b"curv\0\0\0\0" + struct.pack(">IHH", 1, round(gamma * 256), 0)
    tags = struct.pack(">I4sII4sII", 2, b"wtpt", 156, 20, b"kTRC", 176, 16)
    head = struct.pack(">I4sI4s4s4s", 192, b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ") + bytes(12) + b"acsp"
    return head.ljust(68, b"\0") + white[8:] + bytes(48) + tags + white + curve


UPRIGHT = {  # the EXIF standard's definition: where row 0 and column 0 of the stored picture belong
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.swapaxes(0, 1),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
    8: lambda a: np.rot90(a),
}


def exif(orientation):
    block = Image.Exif()
    block[0x0112] = orientation
    return block


def rejected(path, match, functions=(images.read, images.size)):
    for function in functions:
        with pytest.raises(ImageError, match=match) as caught:
            function(path)
        assert str(caught.value).startswith(printable(str(path)))
        assert "\n" not in str(caught.value)
