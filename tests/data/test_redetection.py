import numpy as np

from corr.data.cutting import Placed
from corr.data.redetection import detected_again


def placed(*rows: tuple[float, float, float, float]) -> Placed:
    table = np.array(rows, np.float32).reshape(-1, 4)
    return Placed(table[:, :2], table[:, 2], table[:, 3])


def test_hand_example():
    expected = placed((10, 10, 2, 0), (50, 50, 10, 350), (90, 90, 2, 0), (30, 70, 2, 0))
    detected = placed(
        (90.5, 90, 2, 30),  # turned too far
        (53.5, 50, 10, 5),  # 3.5 px off, within 0.4 of its 10 sigmas; 15 degrees across north
        (11, 10, 2, 0),  # 1 px off
        (10.2, 10, 2, 0),  # the same point, nearer
        (30, 70, 3, 0),  # 0.58 octaves larger
    )
    rows, again = detected_again(expected, detected)
    assert list(zip(rows.tolist(), again.tolist(), strict=True)) == [(0, 3), (1, 1)]


def test_each_has_one_partner_at_most():
    expected = placed((10, 10, 2, 0), (10.4, 10, 2, 0))
    rows, again = detected_again(expected, placed((10.3, 10, 2, 0)))
    assert rows.tolist() == [1]
    assert again.tolist() == [0]


def test_nothing_to_pair():
    one = placed((1, 1, 2, 0))
    for pair in ((one, placed()), (placed(), one), (one, placed((9, 9, 2, 0)))):
        rows, again = detected_again(*pair)
        assert len(rows) == len(again) == 0
