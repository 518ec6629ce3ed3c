"""Pairs of a class: a photograph bent, plain, and beside another one that is never itself."""

import numpy as np
import pytest
import skimage.data
from brought_back import error_beside_still

from corr.data import ClassPairs, WarpedPhotos
from corr.data.correspondence.batches import make_batch
from corr.data.correspondence.bending import Bending
from corr.data.correspondence.mixed_pairs import MixedPairs
from corr.data.photometric import Photometry
from corr.data.random_filter import RandomFilter
from corr.errors import DatasetError, OptionError
from corr.formats import write_image

AS_IT_IS = {"photometry": Photometry(probability=0.0), "filtering": RandomFilter(0.0)}
NO_BEND = Bending(
    max_bend=0.0, max_rotation_deg=0.0, max_zoom=1.0, max_tilt=1.0, max_shift=0.0, mirrored=0.0
)
LEVELS = {"dark": (20, 40, 60), "light": (180, 200, 220, 240)}
"""Of the photographs of two classes, each of one grey."""


@pytest.fixture
def flat(tmp_path):
    for name, levels in LEVELS.items():
        (tmp_path / name).mkdir()
        for level in levels:
            write_image(tmp_path / name / f"{level}.png", np.full((50, 70, 3), level, np.uint8))
    return tmp_path


def test_the_other_one_is_of_the_same_class_and_another_photograph(flat):
    source = ClassPairs(flat, bending=NO_BEND, **AS_IT_IS)
    assert len(source) == 7
    met = set()
    for index in range(len(source)):
        for seed in range(12):
            pair = source.pair(index, 32, np.random.default_rng(seed))
            own, plain, other = (
                int(image[16, 16, 0]) for image in (pair.image0, pair.image1, pair.other)
            )
            assert own == plain != other
            assert (own < 100) == (other < 100)
            met.add((own, other))
    assert len(met) == 3 * 2 + 4 * 3  # every ordered pair of each class


@pytest.mark.parametrize("seed", range(4))
def test_pictures_follow_the_flow(tmp_path, seed):
    (tmp_path / "cat").mkdir()
    for number in range(2):
        write_image(tmp_path / "cat" / f"{number}.png", skimage.data.chelsea()[:, number:])
    pair = ClassPairs(tmp_path, **AS_IT_IS).pair(0, 96, np.random.default_rng(seed))
    assert error_beside_still(pair) < 0.4


def test_what_is_held_out_is_never_the_other_one(flat):
    held, rest = (ClassPairs(flat, held_out=part, **AS_IT_IS) for part in (True, False))
    assert (len(held), len(rest)) == (2, 5)  # of three photographs none can be held out
    shown = [
        {
            int(image[16, 16, 0])
            for index in range(len(part))
            for seed in range(8)
            for pair in [part.pair(index, 32, np.random.default_rng(seed))]
            for image in (pair.image1, pair.other)
        }
        for part in (held, rest)
    ]
    assert shown[0] == {180, 220}
    assert shown[1] == {20, 40, 60, 200, 240}


def test_batches_have_others_where_every_pair_has_one(flat):
    source = ClassPairs(flat)
    batch = make_batch(source, 3, 48, np.random.default_rng(0))
    assert batch.others.shape == (3, 3, 48, 48)
    assert make_batch(WarpedPhotos(), 2, 48, np.random.default_rng(0)).others is None
    mixed = MixedPairs(source, WarpedPhotos(), 0.5)
    assert make_batch(mixed, 6, 48, np.random.default_rng(0)).others is None


def test_a_pair_depends_on_its_random_numbers_alone(flat):
    first, again = (ClassPairs(flat).pair(1, 48, np.random.default_rng(5)) for _ in range(2))
    assert np.array_equal(first.other, again.other)
    assert np.array_equal(first.image0, again.image0)


def test_what_is_refused(flat):
    with pytest.raises(OptionError, match=r"min_share is 0\.0; use"):
        ClassPairs(flat, min_share=0.0)
    with pytest.raises(DatasetError, match="nowhere' is not a folder"):
        len(ClassPairs(flat / "nowhere"))
    (flat / "dark" / "20.png").write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=r"a photo to train on cannot be used: .*20\.png"):
        ClassPairs(flat).pair(0, 32, np.random.default_rng(0))
