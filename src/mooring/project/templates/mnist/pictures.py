"""What people send as a picture, and how it becomes a grey one: any format, depth, transparency, turn and size."""

import codecs
import warnings

import numpy as np
from PIL import Image, ImageOps, TiffImagePlugin, UnidentifiedImageError, WebPImagePlugin

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")  # none that starts a program to decode itself
EXPECTED = "send one handwritten digit as JPEG, PNG, WebP, GIF, BMP, TIFF or PPM"
MAX_PIXELS = 50_000_000  # a 48-megapixel phone picture passes, a decompression bomb does not
LONG_SIDE = 256  # larger pictures are reduced to between this and twice this

# Pillow itself refuses from twice this on; from this on to there, `_decoded` does, and needs no warning.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)

# Pillow imports what reads a format when it first meets it; here, before the first request.
Image.preinit()
_ALSO = (TiffImagePlugin, WebPImagePlugin)

# What people send by mistake, by its first bytes.
_MISTAKES = (
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<svg", "an SVG drawing"),
    (b"<", "HTML or XML"),
    (b"{", "JSON"),
)


class NotAPicture(ValueError):
    """The file cannot be read as a picture; the message says what it is and what is expected."""


def read(file):
    """Return the picture in a seekable binary file as grey ("L"), upright, less than 2 * LONG_SIDE on its long side.

    Raises NotAPicture.
    """
    try:
        return _grey(_decoded(file))
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise NotAPicture(f"is a picture of more than {MAX_PIXELS // 10**6} megapixels; send a smaller one") from None
    except UnidentifiedImageError:
        raise NotAPicture(f"is not a picture but {_what_it_is(file)}; {EXPECTED}") from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow raises for damaged files
        raise NotAPicture(f"is a damaged picture ({error}); {EXPECTED}") from None


def _decoded(file):
    image = Image.open(file, formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise Image.DecompressionBombError
    if image.format == "JPEG":  # decodes the brightness only, and large pictures at a fraction of their size
        image.draft("L", (LONG_SIDE, LONG_SIDE) if max(image.size) > LONG_SIDE else image.size)
    image.load()
    return ImageOps.exif_transpose(image) if "exif" in image.info else image


def _grey(image):
    if image.mode.startswith(("I", "F")):  # 16 or 32 bits a pixel: Pillow's own conversion cuts off, this one scales
        levels = np.nan_to_num(np.asarray(image, dtype=np.float64), posinf=0, neginf=0)
        low, high = levels.min(), levels.max()
        image = Image.fromarray(((levels - low) * (255 / max(high - low, 1))).astype(np.uint8))
    elif image.mode != "L" or "transparency" in image.info:
        image = _opaque(image) if image.has_transparency_data else image.convert("RGB").convert("L")
    shrink = max(image.size) // LONG_SIDE
    return image.reduce(shrink) if shrink > 1 else image


def _opaque(image):
    """Lay a picture on paper where it is transparent: its own paper if most of it shows, or the contrary of its ink."""
    levels, alpha = image.convert("RGBA").convert("LA").split()
    shown = levels.histogram(alpha.point(lambda opacity: 255 * (opacity > 127)))
    sums = np.cumsum(shown)
    median = int(np.searchsorted(sums, sums[-1] / 2))
    if 2 * sums[-1] < image.width * image.height:
        median = 0 if median > 127 else 255
    paper = Image.new("L", image.size, median)
    paper.paste(levels, mask=alpha)
    return paper


def _what_it_is(file):
    file.seek(0)
    start = file.read(64).lstrip()
    if not start:
        return "an empty file"
    if start[4:8] == b"ftyp":
        return "a HEIC, AVIF or video file"
    for first, name in _MISTAKES:
        if start.startswith(first):
            return name
    try:
        words = codecs.getincrementaldecoder("utf-8")().decode(start)  # its end may be half a letter
    except UnicodeDecodeError:
        return "something else"
    return "text" if "".join(words.split()).isprintable() else "something else"
