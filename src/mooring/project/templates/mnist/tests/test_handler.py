"""What a caller sees: `python -m pytest`, in this project's folder."""

import io
from pathlib import Path

import numpy as np
import pytest
from handler import Mnist
from PIL import Image, ImageOps

from mooring_serve import BadInput, File

PROJECT = Path(__file__).resolve().parent.parent
SAMPLES = sorted(path for path in (PROJECT / "samples").rglob("*") if path.suffix in {".jpg", ".png"})
DIGIT_OF = {str(digit): digit for digit in range(10)} | {"seven": 7}


@pytest.fixture(scope="module")
def mnist():
    handler = Mnist()
    handler.setup(PROJECT / "model")
    return handler


@pytest.fixture
def ask(mnist):
    """Return a function that sends a picture, saved in a format, and returns the digit answered."""

    def asked(image, file_format="PNG", **options):
        content = io.BytesIO()
        image.save(content, file_format, **options)
        return mnist.predict(images=File(content.getvalue(), name="picture"))["mnist_result"]

    return asked


@pytest.fixture
def two():
    """A two in blue ink on white paper, RGB, 240 x 200."""
    image = Image.new("RGB", (240, 200), "white")
    image.paste(Image.open(PROJECT / "samples" / "2.jpg"), (60, 50))
    return image


def refusal(mnist, content):
    """Return what the caller is told about a file that is refused."""
    with pytest.raises(BadInput) as caught:
        mnist.predict(images=File(content, name="picture.jpg"))
    return str(caught.value)


def saved(image, file_format, **options):
    content = io.BytesIO()
    image.save(content, file_format, **options)
    return content.getvalue()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: str(path.relative_to(PROJECT / "samples")))
def test_every_sample_is_read_as_the_digit_it_is_named_for(mnist, path):
    answer = mnist.predict(images=File(path.read_bytes(), name=path.name))
    assert answer == {"mnist_result": DIGIT_OF[path.stem]}


def test_there_are_samples_of_every_digit_in_several_hands():
    hands = {path.parent for path in SAMPLES}
    assert len(hands) >= 4
    assert all({path.stem for path in SAMPLES if path.parent == hand} >= set("0123456789") for hand in hands)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_every_usual_format_is_read(ask, two, file_format):
    assert ask(two, file_format) == 2


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "I", "F"])
def test_every_kind_of_pixel_is_read(ask, two, mode):
    assert ask(two.convert(mode), "TIFF" if mode in {"CMYK", "YCbCr", "I", "F"} else "PNG") == 2


def test_a_printers_jpeg_in_four_inks_is_read(ask, two):
    assert ask(two.convert("CMYK"), "JPEG") == 2


def test_a_picture_of_sixteen_bits_is_read_whatever_part_of_the_range_it_uses(ask, two):
    levels = np.asarray(two.convert("L"), dtype=np.uint16)
    assert ask(Image.fromarray(levels * 257)) == 2
    assert ask(Image.fromarray(levels + 1000)) == 2


@pytest.mark.parametrize("ink", ["black", "white", "red"])
def test_strokes_on_a_transparent_ground_are_read_in_any_colour(ask, two, ink):
    drawing = Image.new("RGBA", two.size, ink)
    drawing.putalpha(ImageOps.invert(two.convert("L")))
    assert ask(drawing) == 2
    assert ask(drawing.quantize(16)) == 2


def test_a_sheet_with_transparent_corners_is_read(ask, two):
    shape = Image.new("L", two.size, 255)
    shape.paste(0, (0, 0, 30, 30))
    two.putalpha(shape)
    assert ask(two) == 2


def test_light_strokes_on_dark_are_read_as_dark_ones_on_light(ask, two):
    assert ask(ImageOps.invert(two)) == 2
    assert ask(ImageOps.invert(two), "JPEG") == 2


@pytest.mark.parametrize(("orientation", "turn"), [(6, 90), (3, 180), (8, 270)])
@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_a_phone_held_sideways_makes_no_difference(ask, two, file_format, orientation, turn):
    exif = Image.Exif()
    exif[0x0112] = orientation
    assert ask(two.rotate(turn, expand=True), file_format, exif=exif) == 2


@pytest.mark.parametrize("side", [20, 28, 50, 100, 333, 1000, 3000])
def test_the_size_of_the_picture_makes_no_difference(ask, two, side):
    assert ask(two.resize((side, side * 200 // 240))) == 2
    assert ask(two.resize((side, side * 200 // 240)), "JPEG") == 2


@pytest.mark.parametrize("margin", [0, 1, 40, 400])
def test_the_margins_make_no_difference(ask, two, margin):
    tight = two.crop(ImageOps.invert(two.convert("L")).point(lambda level: 255 * (level > 100)).getbbox())
    assert ask(ImageOps.expand(tight, margin, "white")) == 2
    assert ask(ImageOps.expand(tight, (margin, 0, 0, 2 * margin), "white")) == 2


def test_a_shadow_across_the_paper_is_not_read_as_ink(ask, two):
    light = np.ones((200, 240, 1))
    light[:, 100:] = 0.5
    light[140:] *= 0.7
    assert ask(Image.fromarray((np.asarray(two) * light).astype(np.uint8)), "JPEG") == 2


def test_dirt_and_what_comes_in_from_outside_are_not_read_as_ink(ask, two):
    two.paste("black", (5, 20, 8, 23))
    two.paste("black", (200, 10, 203, 12))
    two.paste("gray", (0, 180, 240, 200))
    assert ask(two) == 2


def test_a_sheet_on_a_dark_table_is_read(ask, two):
    table = Image.new("RGB", (480, 420), (60, 40, 30))
    table.paste(two.rotate(4, expand=True, fillcolor=(60, 40, 30)), (120, 110))
    assert ask(table, "JPEG") == 2


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"seven, please", "text"),
        ("# Sieben\n\n\tb\u00fcndig, und dann noch etwas mehr, bis \u00fcber das Ende hin \u00fc".encode(), "text"),
        (b"%PDF-1.7\n%\xe2\xe3", "a PDF"),
        (b'{"images": 7}', "JSON"),
        (b"<!DOCTYPE html><title>7</title>", "HTML or XML"),
        (b"PK\x03\x04rest", "a ZIP archive or an office document"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00", "a HEIC, AVIF or video file"),
        (bytes(range(128, 256)), "something else"),
    ],
)
def test_a_file_that_is_not_a_picture_is_refused_saying_what_it_is(mnist, content, kind):
    message = refusal(mnist, content)
    assert message.startswith(f"images is not a picture but {kind}; send one handwritten digit as JPEG, PNG")


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_a_picture_cut_off_on_its_way_is_refused_as_damaged(mnist, two, file_format):
    content = saved(two, file_format)
    assert "images is a damaged picture" in refusal(mnist, content[: len(content) * 2 // 3])


def test_a_picture_that_would_fill_the_memory_is_refused_before_it_is_unpacked(mnist):
    assert "more than 50 megapixels" in refusal(mnist, saved(Image.new("1", (10_000, 6_000)), "PNG"))
    assert "more than 50 megapixels" in refusal(mnist, saved(Image.new("1", (20_000, 20_000)), "PNG"))


@pytest.mark.parametrize("colour", ["white", "black", "orange"])
def test_a_blank_picture_is_refused_as_blank(mnist, colour):
    assert refusal(mnist, saved(Image.new("RGB", (300, 200), colour), "JPEG")).startswith("images looks blank")


def test_a_shadow_on_blank_paper_is_refused_as_blank(mnist):
    slope = Image.linear_gradient("L").resize((300, 200)).point(lambda level: 70 + level // 2)
    assert refusal(mnist, saved(slope, "PNG")).startswith("images looks blank")


def test_a_single_pixel_is_refused_as_blank(mnist):
    assert refusal(mnist, saved(Image.new("L", (1, 1)), "PNG")).startswith("images looks blank")


def test_a_bad_picture_leaves_the_next_one_unharmed(mnist, ask, two):
    refusal(mnist, b"seven, please")
    assert ask(two) == 2
