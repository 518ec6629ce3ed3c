"""P x K batches: what is in them, that all take turns, and what is refused."""

import numpy as np
import pytest

from corr.data.pk_sampler import PKSampler
from corr.errors import DatasetError, OptionError

LABELS = np.repeat(np.arange(7), [5, 1, 3, 4, 2, 9, 4])


def test_a_batch_holds_p_identities_with_k_images_each():
    sampler = PKSampler(LABELS, 3, 4)
    for step in range(20):
        rows = sampler(step)
        assert rows.shape == (12,)
        labels = LABELS[rows].reshape(3, 4)
        assert (labels == labels[:, :1]).all()
        assert len(set(labels[:, 0])) == 3


def test_no_image_comes_twice_where_there_are_enough():
    sampler = PKSampler(LABELS, 7, 4)
    for step in range(10):
        rows, labels = sampler(step), LABELS[sampler(step)]
        for label, count in zip(*np.unique(LABELS, return_counts=True), strict=True):
            mine = rows[labels == label]
            assert len(set(mine)) == min(count, 4), f"identity {label}"


def test_a_batch_depends_on_the_seed_and_the_step_alone():
    first, second = PKSampler(LABELS, 3, 2, seed=5), PKSampler(LABELS, 3, 2, seed=5)
    later = [first(step) for step in (4, 2, 9)]
    assert all((second(step) == rows).all() for step, rows in zip((4, 2, 9), later, strict=True))
    other = PKSampler(LABELS, 3, 2, seed=6)
    assert any((other(step) != first(step)).any() for step in range(3))


def test_each_round_shows_every_identity_once():
    sampler = PKSampler(np.arange(12), 4, 2)
    for lap in range(3):
        seen = np.concatenate([np.unique(sampler(3 * lap + turn)) for turn in range(3)])
        assert sorted(seen) == list(range(12))
    orders = {tuple(sampler(3 * lap)) for lap in range(3)}
    assert len(orders) == 3


def test_ranks_share_what_one_process_would_see_with_twice_the_steps():
    alone = PKSampler(LABELS, 3, 2)
    ranks = [PKSampler(LABELS, 3, 2, rank=rank, num_ranks=2) for rank in (0, 1)]
    for step in range(6):
        for rank, sampler in enumerate(ranks):
            assert (sampler(step) == alone(2 * step + rank)).all()


def test_two_ranks_of_a_step_show_different_identities():
    ranks = [PKSampler(np.arange(12), 3, 2, rank=rank, num_ranks=2) for rank in (0, 1)]
    for step in range(8):
        assert not set(ranks[0](step)) & set(ranks[1](step))


def test_refusals():
    with pytest.raises(DatasetError, match="1 identity to learn from; two or more are needed"):
        PKSampler(np.zeros(5, int), 2, 2)
    with pytest.raises(OptionError, match=r"num_identities is 8, and there are 7.*use 7 or fewer"):
        PKSampler(LABELS, 8, 2)
