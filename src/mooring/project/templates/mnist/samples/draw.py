"""Draws the sample pictures: ten digits by four hands, and seven.jpg. Run it again and it draws the same.

    python samples/draw.py

A digit is a few strokes, each a smooth curve through points in a unit square; a hand bends and slants them in its own
way; a sheet says what it is written with and on. Nothing here comes from a data set.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

HERE = Path(__file__).resolve().parent
FINE = 3  # drawn so many times larger, then scaled down: smooth rims

# Strokes of each digit: points (x to the right, y down) from 0 to 1; a repeated point makes a corner.
DIGITS = {
    0: [[(0.55, 0.02), (0.22, 0.18), (0.12, 0.55), (0.3, 0.93), (0.6, 0.96), (0.85, 0.62), (0.8, 0.2), (0.5, 0.02)]],
    1: [[(0.35, 0.22), (0.52, 0.02), (0.52, 0.02), (0.5, 0.5), (0.48, 0.98)]],
    2: [[(0.15, 0.25), (0.35, 0.03), (0.7, 0.05), (0.8, 0.3), (0.55, 0.62), (0.12, 0.95), (0.12, 0.95), (0.9, 0.93)]],
    3: [[(0.18, 0.12), (0.5, 0.01), (0.8, 0.2), (0.65, 0.42), (0.42, 0.48), (0.42, 0.48), (0.72, 0.55), (0.85, 0.76),
         (0.6, 0.97), (0.3, 0.97), (0.12, 0.85)]],
    4: [[(0.5, 0.02), (0.3, 0.35), (0.1, 0.64), (0.1, 0.64), (0.5, 0.62), (0.92, 0.6)],
        [(0.7, 0.3), (0.68, 0.6), (0.66, 0.98)]],
    5: [[(0.8, 0.04), (0.5, 0.05), (0.28, 0.06), (0.28, 0.06), (0.24, 0.42), (0.24, 0.42), (0.55, 0.36), (0.84, 0.58),
         (0.78, 0.86), (0.48, 0.98), (0.15, 0.9)]],
    6: [[(0.7, 0.02), (0.4, 0.2), (0.2, 0.58), (0.26, 0.9), (0.55, 0.98), (0.8, 0.8), (0.7, 0.56), (0.45, 0.54),
         (0.22, 0.74)]],
    7: [[(0.12, 0.08), (0.5, 0.07), (0.88, 0.06), (0.88, 0.06), (0.65, 0.45), (0.42, 0.98)]],
    8: [[(0.78, 0.2), (0.55, 0.02), (0.25, 0.12), (0.3, 0.36), (0.6, 0.52), (0.82, 0.74), (0.6, 0.97), (0.3, 0.95),
         (0.18, 0.74), (0.42, 0.5), (0.72, 0.34), (0.78, 0.2)]],
    9: [[(0.8, 0.25), (0.6, 0.04), (0.3, 0.1), (0.2, 0.32), (0.4, 0.5), (0.7, 0.42), (0.82, 0.2), (0.82, 0.2),
         (0.78, 0.6), (0.68, 0.98)]],
}  # fmt: skip


@dataclass(frozen=True)
class Sheet:
    """What a hand writes with and on, and how the picture of it is taken."""

    file: str  # "{}" stands for the digit
    size: tuple[int, int]  # pixels
    ink: tuple[int, int, int] = (25, 25, 35)
    paper: tuple[int, int, int] = (250, 249, 246)
    height: float = 0.68  # of the digit, as a share of the shorter side
    pen: float = 0.1  # stroke width as a share of the digit's height
    slant: float = 0.0
    narrow: float = 0.75  # width as a share of height
    unsteady: float = 0.02  # how far the hand misses its points
    away: tuple[float, float] = (0, 0)  # from the middle, as a share of the size
    shade: float = 0.0  # share of the light that is lost in the darkest corner
    grain: float = 0.0  # of the paper, and of the camera
    ruled: bool = False
    see_through: bool = False
    save: dict = field(default_factory=dict)


SHEETS = (
    Sheet("{}.jpg", (96, 96), pen=0.11, save={"quality": 80}),
    Sheet(
        "ball-pen/{}.jpg", (900, 700), ink=(38, 52, 130), paper=(228, 222, 208), height=0.42, pen=0.04, slant=0.22,
        narrow=0.6, unsteady=0.03, away=(0.08, -0.06), shade=0.45, grain=2, ruled=True, save={"quality": 50},
    ),
    Sheet(
        "chalk/{}.jpg", (160, 120), ink=(236, 236, 226), paper=(38, 66, 52), height=0.75, pen=0.13, slant=-0.08,
        narrow=0.82, unsteady=0.03, away=(-0.12, 0.03), grain=4, save={"quality": 75},
    ),
    Sheet("screen/{}.png", (60, 60), ink=(0, 0, 0), height=0.86, pen=0.14, narrow=0.68, see_through=True),
    Sheet("felt-pen/{}.png", (240, 320), ink=(150, 30, 40), height=0.6, pen=0.17, slant=0.12, unsteady=0.025),
)  # fmt: skip


def main():
    for number, sheet in enumerate(SHEETS):
        for digit in DIGITS:
            save(picture(digit, sheet, np.random.default_rng((number, digit))), sheet, sheet.file.format(digit))
    seven = Sheet("seven.jpg", (84, 84), ink=(30, 40, 90), pen=0.09, slant=0.1, shade=0.1, save={"quality": 80})
    save(picture(7, seven, np.random.default_rng(77)), seven, seven.file)


def save(image, sheet, name):
    path = HERE / name
    path.parent.mkdir(exist_ok=True)
    image.save(path, **sheet.save)
    print(path.relative_to(HERE))


def picture(digit, sheet, chance):
    """Return the picture of a digit written on a sheet; `chance` is a numpy random generator."""
    ink = written(digit, sheet, chance)
    if sheet.see_through:
        image = Image.new("RGBA", sheet.size, (*sheet.ink, 0))
        image.putalpha(ink)
        return image
    share = np.asarray(ink, dtype=np.float64)[..., None] / 255
    levels = paper(sheet) * (1 - share) + np.array(sheet.ink) * share
    levels = levels * light(sheet)[..., None] + chance.normal(0, sheet.grain, (*levels.shape[:2], 1))
    return Image.fromarray(levels.clip(0, 255).round().astype(np.uint8))


def written(digit, sheet, chance):
    """Return how much ink is where, as a grey picture: 0 none, 255 full."""
    width, height = (FINE * side for side in sheet.size)
    tall = sheet.height * min(width, height)
    canvas = Image.new("L", (width, height))
    draw = ImageDraw.Draw(canvas)
    middle = np.array([(0.5 + sheet.away[0]) * width, (0.5 + sheet.away[1]) * height])
    for stroke in DIGITS[digit]:
        points = np.array(stroke) - 0.5
        corner = np.r_[False, (np.diff(points, axis=0) == 0).all(1)]
        missed = chance.normal(0, sheet.unsteady, points.shape)
        missed[corner] = missed[np.r_[corner[1:], False]]  # a corner stays one
        points += missed
        x = points[:, 0] * sheet.narrow - points[:, 1] * sheet.slant
        path = curve(np.stack((x, points[:, 1]), axis=1)) * tall + middle
        pen = sheet.pen * tall / 2 * (1 + 0.12 * np.sin(np.linspace(0, 5, len(path)) + chance.uniform(0, 6)))
        for (across, down), radius in zip(path, pen, strict=True):  # a round nib, pressed now more, now less
            draw.ellipse((across - radius, down - radius, across + radius, down + radius), fill=255)
    return canvas.resize(sheet.size, Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.4))


def curve(points, steps=60):
    """Return a smooth curve [n, 2] through the points [m, 2] (Catmull-Rom), which turns sharply at repeated ones."""
    ends = np.concatenate((points[:1], points, points[-1:]))
    t = np.linspace(0, 1, steps)[:, None]
    parts = []
    for a, b, c, d in zip(ends[:-3], ends[1:-2], ends[2:-1], ends[3:], strict=True):
        parts.append(b + t * ((c - a) + t * ((2 * a - 5 * b + 4 * c - d) + t * (3 * b - a - 3 * c + d))) / 2)
    return np.concatenate(parts)


def paper(sheet):
    """Return the paper's colours, float [height, width, 3], ruled if the sheet is."""
    width, height = sheet.size
    colours = np.tile(np.array(sheet.paper, dtype=np.float64), (height, width, 1))
    if sheet.ruled:
        for line in range(height // 16, height, height // 8):
            colours[line : line + max(1, height // 350)] *= (0.86, 0.9, 0.96)
    return colours


def light(sheet):
    """Return how much light falls where, float [height, width], 1 at the brightest: it comes from the upper left."""
    width, height = sheet.size
    across, down = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    return 1 - sheet.shade * (0.7 * across + 0.3 * down) ** 1.5


if __name__ == "__main__":
    main()
