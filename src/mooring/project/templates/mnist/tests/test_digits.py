"""What the network is given to read."""

import numpy as np
import pytest
from digits import NoDigit, normalise
from pieces import Pieces
from PIL import Image, ImageDraw


def drawn(width=200, height=200, *, paper="white", ink="black", line=14):
    image = Image.new("L", (width, height), paper)
    ImageDraw.Draw(image).line([(60, 50), (140, 50), (90, 150)], fill=ink, width=line, joint="curve")
    return image


def test_a_digit_fills_a_box_of_twenty_and_its_mass_is_in_the_middle():
    field = normalise(drawn())
    assert field.shape == (28, 28)
    assert field.dtype == np.float32
    assert field.min() == 0
    assert 0.9 < field.max() <= 1
    rows, columns = (field > 0.3).any(1).nonzero()[0], (field > 0.3).any(0).nonzero()[0]
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == pytest.approx(20, abs=1)
    middle = [axis @ np.arange(28) / field.sum() for axis in (field.sum(1), field.sum(0))]
    assert middle == pytest.approx([14, 14], abs=0.6)


def test_polarity_size_and_place_leave_the_digit_as_it_is():
    expected = normalise(drawn())
    for other in (drawn(paper="black", ink="white"), drawn(400, 300), drawn().resize((100, 100))):
        assert np.abs(normalise(other) - expected).mean() < 0.02


def test_proportions_are_kept_so_a_one_stays_slim():
    one = Image.new("L", (100, 100))
    one.paste(255, (46, 20, 54, 80))
    assert (normalise(one) > 0.5).any(0).sum() == 3


def test_a_hairline_is_as_black_as_a_pen():
    image = drawn(line=2).resize((240, 240))
    assert normalise(image).sum() > 0.3 * normalise(drawn()).sum()


def test_noise_fainter_than_ink_is_blank_paper():
    grain = np.random.default_rng(0).normal(200, 4, (100, 100)).astype(np.uint8)
    with pytest.raises(NoDigit, match="blank"):
        normalise(Image.fromarray(grain))


def test_pieces_that_touch_at_corners_or_around_a_bend_are_one():
    mask = np.array([[1, 0, 1, 0, 0], [1, 0, 1, 0, 1], [0, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 0, 0, 0]], dtype=bool)
    pieces = Pieces(mask)
    assert sorted(pieces.areas.tolist()) == [2, 2, 5]
    assert pieces.boxes.tolist() == [[0, 3, 0, 3], [1, 3, 4, 5], [4, 5, 0, 2]]
    assert ((pieces.mask(pieces.areas == 5) > 0) == (mask & (np.arange(5) < 3) & (np.arange(5) < 3)[:, None])).all()
