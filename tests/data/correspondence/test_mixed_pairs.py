"""Pairs of two sources: how many of each, which, and where they go."""

import numpy as np
import pytest

from corr.data.correspondence.batches import make_batch
from corr.data.correspondence.datamodule import CorrespondenceDataModule
from corr.data.correspondence.dense_pair import DensePair, PairSource
from corr.data.correspondence.mixed_pairs import MixedPairs
from corr.data.resumable import VAL
from corr.errors import OptionError

SIDE = 32


class Shades(PairSource):
    """So many pairs; red is the source's, green the number of the thing, blue is random."""

    def __init__(self, red: int, count: int) -> None:
        self.red, self.count = red, count

    def __len__(self) -> int:
        return self.count

    def pair(self, index: int, side: int, rng: np.random.Generator) -> DensePair:
        assert 0 <= index < self.count
        shown = np.zeros((side, side, 3), np.uint8)
        shown[:] = self.red, index, rng.integers(256)
        return DensePair(shown, shown, np.zeros((side, side, 2), np.float32))


OWN, BESIDE = Shades(1, 40), Shades(2, 7)


def shade(pair: DensePair) -> tuple[int, int, int]:
    red, green, blue = pair.image0[0, 0].tolist()
    return red, green, blue


@pytest.mark.parametrize("share", [0.1, 0.25, 0.8])
def test_the_share_is_kept_in_the_mean(share):
    mixed, rng = MixedPairs(OWN, BESIDE, share), np.random.default_rng(0)
    of_beside = [shade(mixed.pair(5, 1, rng))[0] == 2 for _ in range(4000)]
    assert np.mean(of_beside) == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / 4000))


def test_nothing_or_all_of_it():
    for share, red in ((0.0, 1), (1.0, 2)):
        mixed = MixedPairs(OWN, BESIDE, share)
        assert {shade(mixed.pair(3, 1, np.random.default_rng(s)))[0] for s in range(200)} == {red}


def test_own_things_are_those_asked_for_and_the_others_any():
    mixed = MixedPairs(OWN, BESIDE, 0.5)
    assert len(mixed) == 40
    seen = [shade(mixed.pair(s % 40, 1, np.random.default_rng(s))) for s in range(800)]
    assert all(green == s % 40 for s, (red, green, _) in enumerate(seen) if red == 1)
    others = np.bincount([green for red, green, _ in seen if red == 2], minlength=7)
    assert len(others) == 7 and others.min() > 0.5 * others.mean()  # the last one too


def test_the_same_pair_for_the_same_random_numbers():
    mixed = MixedPairs(OWN, BESIDE, 0.5)
    first, again, other = (
        [shade(mixed.pair(3, 1, np.random.default_rng(s))) for s in range(start, start + 50)]
        for start in (0, 0, 50)
    )
    assert first == again
    assert first != other
    assert {red for red, _, _ in first} == {1, 2}


def first_batches(num: int = 30, **settings) -> list[np.ndarray]:
    """The shades of the first batches of 4 that a module gives to training."""
    data = CorrespondenceDataModule(
        source=OWN, batch_size=4, side=SIDE, steps_per_epoch=num, num_val_pairs=6, num_workers=0,
        **settings,
    )  # fmt: skip
    return [batch.images0[:, :, 0, 0].numpy() for batch in data.train_dataloader()]


def test_training_has_both_and_validation_none_of_it():
    mixed = np.concatenate(first_batches(beside=BESIDE, beside_share=0.25))
    assert 0.15 < np.mean(mixed[:, 0] == 2) < 0.35
    alone = np.concatenate(first_batches())
    assert set(alone[:, 0]) == {1}
    for batches in (mixed, alone):
        assert not set(batches[batches[:, 0] == 1, 1]) & {0, 10, 20, 30}  # these are held out
    data = CorrespondenceDataModule(
        source=OWN, beside=BESIDE, beside_share=1.0, side=SIDE, num_val_pairs=6
    )
    held_out = [batch.images0[0, :2, 0, 0].tolist() for batch in data.read_val()]
    assert all(red == 1 and green in (0, 10, 20, 30) for red, green in held_out)


def test_a_batch_depends_on_seed_and_step_alone():
    first, again, other = (
        np.concatenate(first_batches(beside=BESIDE, seed=seed)) for seed in (4, 4, 5)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_validation_is_the_same_whatever_stands_beside():
    with_it, without = (
        CorrespondenceDataModule(source=OWN, beside=beside, side=SIDE, num_val_pairs=6).read_val()
        for beside in (BESIDE, None)
    )
    for one, other in zip(with_it, without, strict=True):
        assert (one.images0 == other.images0).all()
    expected = make_batch(Shades(1, 40), 1, SIDE, np.random.default_rng((VAL, 0)))
    assert with_it[0].images0[0, 2, 0, 0] == expected.images0[0, 2, 0, 0]


@pytest.mark.parametrize("share", [-0.1, 1.01, float("nan")])
def test_a_share_that_is_none(share):
    with pytest.raises(OptionError, match=rf"^share is {share}; use a value in \[0, 1\]"):
        MixedPairs(OWN, BESIDE, share)
    with pytest.raises(OptionError, match=rf"beside_share is {share}; use a value in \[0, 1\]"):
        CorrespondenceDataModule(source=OWN, beside=BESIDE, beside_share=share)
