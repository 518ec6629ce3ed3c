"""Padded batches with masks give what each item gives alone."""

import numpy as np
import pytest
import torch

from corr.errors import OptionError, ShapeError
from corr.search import nearest


@pytest.mark.parametrize("metric", ["cosine", "l2", "hamming"])
@pytest.mark.parametrize("k", [1, 3])
def test_batched_equals_single_bit_for_bit(metric, k):
    rng = np.random.default_rng(k)
    sizes = [(5, 9), (12, 4), (40, 70), (3, 3)]
    most = max(n for n, _ in sizes), max(m for _, m in sizes)
    draw = (
        (lambda n: torch.from_numpy(rng.integers(0, 256, (n, 5), dtype=np.uint8)))
        if metric == "hamming"
        else (lambda n: torch.from_numpy(rng.standard_normal((n, 24))).float())
    )
    items = [(draw(n), draw(m)) for n, m in sizes]
    padded, masks = [], []
    for side in range(2):
        batch = torch.stack([draw(most[side]) for _ in sizes])  # padding may hold anything
        mask = torch.zeros(len(sizes), most[side], dtype=torch.bool)
        for b, pair in enumerate(items):
            place = torch.from_numpy(np.sort(rng.permutation(most[side])[: sizes[b][side]]))
            batch[b, place], mask[b, place] = pair[side], True
        padded.append(batch)
        masks.append(mask)
    if metric != "hamming":
        padded[0][~masks[0]] = float("nan")
    found = nearest(
        *padded, k, metric=metric, both_ways=True, return_second=True,
        query_mask=masks[0], database_mask=masks[1],
    )  # fmt: skip
    assert found.index.shape == (4, most[0], k)
    for b, pair in enumerate(items):
        alone = nearest(*pair, k, metric=metric, both_ways=True, return_second=min(sizes[b]) > k)
        places = masks[0][b].nonzero().flatten(), masks[1][b].nonzero().flatten()
        for side, single, own, other in (
            (found, alone, *places),
            (found.reverse, alone.reverse, *places[::-1]),
        ):
            assert torch.equal(side.index[b, own], other[single.index])
            assert torch.equal(side.scores[b, own], single.scores)
            if single.second is not None:
                assert torch.equal(side.second[b, own], single.second)
        outside = ~masks[0][b]
        assert (found.index[b, outside] == -1).all()
        assert (found.scores[b, outside] == -torch.inf).all()
        assert (found.second[b, outside] == -torch.inf).all()


def test_fewer_rows_that_take_part_than_neighbours_leave_places_empty():
    table = torch.eye(4)
    mask = torch.tensor([False, True, False, True])
    found = nearest(table, table, 3, database_mask=mask)
    assert found.index[0].tolist() == [1, 3, -1]
    assert found.scores[3].tolist() == [1.0, 0.0, -torch.inf]
    nothing = nearest(table, table, 2, both_ways=True, database_mask=torch.zeros_like(mask))
    assert (nothing.index == -1).all()
    assert (nothing.reverse.index == -1).all()


def test_masks_and_batches_that_do_not_fit_are_refused():
    table, mask = torch.zeros(3, 4), torch.ones(3, dtype=torch.bool)
    with pytest.raises(ShapeError, match=r"the mask of queries is \(2,\) torch.bool on cpu; use"):
        nearest(table, table, query_mask=mask[:2])
    with pytest.raises(ShapeError, match=r"the mask of database is \(3,\) torch.float32"):
        nearest(table, table, database_mask=mask.float())
    with pytest.raises(ShapeError, match="or two batches of as many tables"):
        nearest(table.expand(2, 3, 4), table.expand(5, 3, 4))
    with pytest.raises(OptionError, match="the batch is empty"):
        nearest(torch.zeros(0, 3, 4), torch.zeros(0, 3, 4))
