import tracemalloc

import numpy as np
import pytest

from corr.errors import OptionError
from corr.volume import strips
from corr.volume.census import census, hamming_volume
from corr.volume.presets import preset
from corr.volume.readout import read_winners
from corr.volume.sgm import sweep
from corr.volume.strips import OVERLAP, strip_rows, winners_of_strips


def _scene(height, width, max_disparity):
    """Smooth ground of slowly changing depth, with texture: the words of both views and a guide."""
    rng = np.random.default_rng(0)
    texture = rng.integers(0, 256, (height, 2 * width)).astype(np.uint8)
    depth = np.rint(np.linspace(1, max_disparity - 2, height)).astype(int)
    left = texture[:, :width].copy()
    right = np.stack([texture[y, d : d + width] for y, d in enumerate(depth)])
    words = census(left), census(np.ascontiguousarray(right))
    return (
        lambda top, bottom: hamming_volume(*(w[top:bottom] for w in words), max_disparity)
    ), left


def test_a_volume_within_the_limit_is_solved_at_once():
    cost, guide = _scene(40, 60, 12)
    whole = read_winners(sweep(cost(0, 40), guide))
    found = winners_of_strips(cost, guide, 12, preset("census"))
    for name in ("disparity", "peak_ratio", "right"):
        np.testing.assert_array_equal(getattr(found, name), getattr(whole, name))


def test_strips_find_what_the_whole_finds_in_a_fraction_of_its_memory():
    height, width, depth = 1200, 100, 40
    cost, guide = _scene(height, width, depth)
    whole = winners_of_strips(
        cost, guide, depth, preset("census")
    )  # compiles too, which takes memory of its own
    limit = 200 * width * depth
    peaks = []
    for scores in (height * width * depth, limit):
        tracemalloc.start()
        found = winners_of_strips(cost, guide, depth, preset("census"), strip_scores=scores)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert (found.disparity != whole.disparity).mean() < 0.002
    assert (found.right != whole.right).mean() < 0.002
    results = height * width * (4 + 4 + 4)
    assert peaks[0] >= 5 * height * width * depth
    assert peaks[1] <= 5.2 * limit + 2 * results


def test_six_megapixels_and_256_disparities_stay_below_four_gigabytes():
    height, width, depth = 2000, 3000, 256
    rows = strip_rows(height, width, depth)
    assert rows < height
    volume = min(height, rows + 2 * OVERLAP) * width * depth
    images_and_maps = height * width * 60
    assert 5 * volume + images_and_maps < 3e9
    assert rows > OVERLAP  # else most of the work is done twice


@pytest.mark.parametrize("height", [1, OVERLAP, 3 * OVERLAP, 1000])
def test_strips_cover_every_row_once(height, monkeypatch):
    monkeypatch.setattr(strips, "sweep", lambda cost, guide, *_, **__: np.stack([cost, cost]))
    seen = []

    def cost(top, bottom):
        seen.append((top, bottom))
        rows = np.arange(top, bottom) % 7
        return np.abs(np.arange(9) - rows[:, None, None]).repeat(5, 1).astype(np.uint16)

    guide = np.zeros((height, 5), np.uint8)
    limit = (2 * OVERLAP + 20) * 5 * 9
    found = winners_of_strips(cost, guide, 9, preset("census"), strip_scores=limit)
    np.testing.assert_array_equal(found.disparity[:, 0], np.arange(height) % 7)
    assert max(bottom - top for top, bottom in seen) * 5 * 9 <= limit


def test_rows_that_are_too_wide_are_refused():
    with pytest.raises(OptionError, match=r"9000 pixels .* smaller max_disparity"):
        strip_rows(3000, 9000, 2000)
