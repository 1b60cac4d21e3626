"""How MNIST's makers laid out a digit, done to any grey picture: found, cut out, scaled, centred.

MNIST's digits are light on dark, scaled to fit a box of 20 x 20 with their proportions kept, and laid into 28 x 28
so that their centre of mass is in the middle. The network has seen nothing else.
"""

import numpy as np
from pieces import Pieces
from PIL import Image, ImageFilter, ImageOps

SIDE = 28  # of what the network reads
BOX = 20  # what a digit fits into, inside it
FAINTEST = 20  # of 255: what differs less from the paper is not ink
EVEN = 0.95  # share of the picture's rim that is either paper or ink, and no shade between them, in even light
STROKE = 0.4  # share of the contrast: what is stronger belongs to a stroke
SPECK = 0.04  # share of the largest piece's area: what is smaller is dirt
NEAR = 0.35  # share of the largest piece's length: what is farther from it is not of the same digit
SHEET = 0.3  # share of the picture's long side: a sheet of paper on a table is at least so wide and so high
SOLID = 0.8  # share of the way around, just within its bounds, that a sheet fills and no digit does
FADED, FADED_AWAY = 0.7, 0.55  # of 1: strokes that come out no blacker than this in the box need thickening

_PLACES = np.arange(BOX, dtype=np.float32)
MIDDLE = 14  # the pixel, from 0, where MNIST put the centre of mass


class NoDigit(ValueError):
    """Nothing in the picture can be a digit; the message says why."""


def normalise(image):
    """Return the digit in a grey picture (PIL, mode "L") as float32 [28, 28]: 0 for paper, 1 for ink.

    Raises NoDigit.
    """
    return _centred(_boxed(_digit(image)))


def _digit(image):
    """Return the ink of the digit alone, cut to its bounds, as float32 [height, width], 0 to 1."""
    levels, paper, contrast = _levelled(image)
    levels, (left, top, right, bottom) = _cut_out(levels, paper, contrast)
    # Paper's texture goes to 0 and whole strokes to 1: MNIST's greys are the rims of strokes, nothing else.
    digit = np.subtract(levels, paper, dtype=np.float32)
    digit *= 1.5 / contrast
    digit -= 0.2
    np.clip(digit, 0, 1, out=digit)
    height, width = digit.shape
    if min(height, width) > max(SHEET * max(image.size), 2 * BOX):
        down, across = height // 12, width // 12
        if _rim(digit[down:-down, across:-across] > STROKE).mean() > SOLID:  # it is a sheet of paper, on a table
            try:
                return _digit(image.crop((left + across, top + down, right - across, bottom - down)))
            except NoDigit:
                return digit
    return digit


def _rim(array):
    """Return the pixels along the four sides of an array [height, width], as [n]."""
    return np.concatenate((array[0], array[-1], array[:, 0], array[:, -1]))


# --- how paper and ink differ ---


def _levelled(image):
    """Return (levels uint8 [height, width], that of paper, that of ink less that of paper), in even light.

    Where the picture's own light is not even, the levels are as they would be in even light. Raises NoDigit.
    """
    levels = np.asarray(image)
    rim = _rim(levels)
    rim.sort()
    paper = int(rim[len(rim) // 2])
    low, high = image.getextrema()
    darker, lighter = paper - low, high - paper
    contrast = max(darker, lighter)
    if contrast < FAINTEST:
        raise NoDigit("looks blank: nothing in it stands out from the paper")
    towards = contrast if lighter > darker else -contrast
    if int(rim[-1]) - int(rim[0]) <= 0.15 * contrast:
        return levels, paper, towards
    inked, near, grey = (_within(rim, paper, share * contrast) for share in (0.75, 0.3, 0.15))
    if len(rim) - inked + grey >= EVEN * len(rim):
        return levels, paper, towards
    sure = near > 0.6 * len(rim) and contrast > 2 * min(darker, lighter)
    return _levelled_in_uneven_light(image, lighter - darker if sure else 0)


def _within(ascending, middle, distance):
    """Return how many of the values are no farther from the middle than that."""
    first, last = ascending.searchsorted((middle - distance, middle + distance))
    return int(last - first)


def _levelled_in_uneven_light(image, lighter):
    """Do the same where shadows fall, or a table shows: against the paper near each pixel, not that of the rim.

    Ink is lighter than paper if `lighter` is above 0, darker if below; at 0 it is to be found out.
    """
    small = image.resize([max(8, 48 * side // max(image.size)) for side in image.size], Image.Resampling.BOX)
    # What is far from its surroundings is rather ink than paper, since there is less of it.
    detail = np.asarray(small, dtype=np.float32) - np.asarray(small.filter(ImageFilter.GaussianBlur(5)))
    if (lighter or (detail**3).sum()) > 0:
        image, small = ImageOps.invert(image), ImageOps.invert(small)
    paper = np.asarray(_paper(small).resize(image.size, Image.Resampling.BILINEAR), dtype=np.float32)
    # Light multiplies, so ink is a share of the paper's light; where there is next to none, it is nothing.
    share = (paper - np.asarray(image)) / np.maximum(paper, 32)
    contrast = share.max()
    if contrast * 255 < FAINTEST:
        raise NoDigit("looks blank: there are shadows, but no strokes")
    return (share.clip(0) * (255 / contrast)).astype(np.uint8), 0, 255


def _paper(image):
    """Return the picture without its dark strokes: the light around them grows over them, and shrinks again."""
    reach = 6
    wide = Image.fromarray(np.pad(np.asarray(image), reach, mode="edge"))
    for step in [ImageFilter.MaxFilter(3)] * reach + [ImageFilter.MinFilter(3)] * reach:
        wide = wide.filter(step)
    return ImageOps.crop(wide.filter(ImageFilter.GaussianBlur(1)), reach)


# --- which ink is the digit ---


def _cut_out(levels, paper, contrast):
    """Return the levels of the digit without what else there is, cut to its bounds; and left, top, right, bottom."""
    edge = paper + int(STROKE * contrast)  # towards paper: levels are whole numbers
    stroke = levels > edge if contrast > 0 else levels < edge
    rows, columns = stroke.any(1).nonzero()[0], stroke.any(0).nonzero()[0]
    top, bottom, left, right = int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1
    if bottom - top == len(rows) and right - left == len(columns):  # in one piece, as far as can be seen cheaply
        height, width = levels.shape
        if top > 0 and left > 0 and bottom < height and right < width:
            return levels[top:bottom, left:right], (left, top, right, bottom)
    return _without_dirt(levels, stroke, paper)


def _without_dirt(levels, stroke, paper):
    """Keep the largest piece and its neighbours; drop specks, rulings, and what comes in from outside the picture."""
    pieces = Pieces(stroke)
    top, bottom, left, right = pieces.boxes.T
    outside = (top == 0) | (left == 0) | (bottom == levels.shape[0]) | (right == levels.shape[1])
    if outside.all():
        outside[:] = False
    areas = np.where(outside, 0, pieces.areas)
    main = pieces.boxes[areas.argmax()]
    reach = NEAR * max(main[1] - main[0], main[3] - main[2])
    gaps = np.max((top - main[1], main[0] - bottom, left - main[3], main[2] - right), axis=0)
    kept = (areas >= SPECK * areas.max()) & (gaps <= reach)
    rims_too = Image.fromarray(pieces.mask(kept)).filter(ImageFilter.MaxFilter(3))
    clean = np.where(np.asarray(rims_too), levels, np.uint8(paper))
    bounds = left[kept].min(), top[kept].min(), right[kept].max(), bottom[kept].max()
    return clean[bounds[1] : bounds[3], bounds[0] : bounds[2]], tuple(map(int, bounds))


# --- where MNIST would put it ---


def _boxed(digit):
    """Return the digit scaled to fit BOX x BOX, its proportions kept and its hairlines thickened, 0 to 1."""
    length = max(digit.shape)
    if length == BOX:
        return digit
    picture = Image.fromarray((digit * 255).astype(np.uint8))
    boxed = _scaled(picture)
    if length > 3 * BOX:
        level = (boxed * boxed).sum() / boxed.sum()  # how black its strokes are: hairlines have faded
        if level < FADED:
            fine = ImageOps.expand(_resized(picture, 3 * BOX), 2)
            boxed = _scaled(fine.filter(ImageFilter.MaxFilter(3 if level > FADED_AWAY else 5)))
    return boxed * (1 / max(boxed.max(), 0.1))


def _scaled(picture):
    return np.asarray(_resized(picture, BOX), dtype=np.float32) * (1 / 255)


def _resized(picture, length):
    scale = length / max(picture.size)
    return picture.resize([max(1, round(side * scale)) for side in picture.size], Image.Resampling.BICUBIC)


def _centred(box):
    """Lay a digit into 28 x 28, the centre of its mass as near to the middle as whole pixels and the rim allow."""
    height, width = box.shape
    total = box.sum()
    top = round(MIDDLE - float(_PLACES[:height] @ box.sum(1) / total))
    left = round(MIDDLE - float(box.sum(0) @ _PLACES[:width] / total))
    top, left = min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width)
    field = np.zeros((SIDE, SIDE), dtype=np.float32)
    field[top : top + height, left : left + width] = box
    return field
