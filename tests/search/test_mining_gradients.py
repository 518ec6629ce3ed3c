"""Hard negatives in training: who gets a gradient, and in which precision."""

import numpy as np
import pytest
import torch
from random_tables import unit_rows
from torch import Tensor

from corr.search import Exclusion, hardest_negatives


def test_gradients_in_double() -> None:
    anchors = unit_rows(7, 5, 0, torch.float64).requires_grad_()
    candidates = unit_rows(9, 5, 1, torch.float64).requires_grad_()
    excluded = Exclusion(tracks0=np.arange(7) % 3, tracks1=np.arange(9) % 3)

    def both(first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        mined = hardest_negatives(first, second, excluded=excluded, k=2, both_ways=True)
        assert mined.reverse is not None
        return mined.similarity, mined.reverse.similarity

    assert torch.autograd.gradcheck(both, (anchors, candidates))


def test_only_winners_get_a_gradient() -> None:
    anchors, candidates = unit_rows(20, 8, 0), unit_rows(300, 8, 1)
    anchors.requires_grad_()
    candidates.requires_grad_()
    mined = hardest_negatives(anchors, candidates, k=2)
    weights = torch.rand(20, 2)
    (mined.similarity * weights).sum().backward()
    assert anchors.grad is not None
    assert candidates.grad is not None
    won = torch.zeros(300, dtype=torch.bool)
    won[mined.index.flatten()] = True
    assert 1 < won.sum() <= 40
    assert (candidates.grad[~won] == 0).all()
    assert (candidates.grad[won] != 0).any(1).all()
    expected = (weights[..., None] * candidates.detach()[mined.index]).sum(1)
    torch.testing.assert_close(anchors.grad, expected)


def test_where_none_is_left_there_is_no_gradient() -> None:
    anchors = unit_rows(3, 4, 0).requires_grad_()
    candidates = unit_rows(5, 4, 1).requires_grad_()
    nothing = Exclusion(tracks0=np.zeros(3, int), tracks1=np.zeros(5, int))
    mined = hardest_negatives(anchors, candidates, excluded=nothing, k=2, both_ways=True)
    assert mined.reverse is not None
    for side in (mined, mined.reverse):
        assert (side.index == -1).all()
        assert (side.similarity == -torch.inf).all()
        assert not side.found.any()
        side.similarity.masked_fill(~side.found, 0).sum().backward()
    assert anchors.grad is not None
    assert candidates.grad is not None
    assert (anchors.grad == 0).all()
    assert (candidates.grad == 0).all()


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_under_autocast_and_in_half_precision_products_stay_float32(dtype: torch.dtype) -> None:
    anchors, candidates = unit_rows(40, 64, 0).to(dtype), unit_rows(50, 64, 1).to(dtype)
    plain = hardest_negatives(anchors.float(), candidates.float(), both_ways=True)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        mined = hardest_negatives(anchors.requires_grad_(), candidates, both_ways=True)
    assert torch.equal(mined.index, plain.index)
    assert mined.similarity.dtype == torch.float32
    torch.testing.assert_close(mined.similarity, plain.similarity, atol=1e-6, rtol=0)
    mined.similarity.sum().backward()
    assert anchors.grad is not None
    assert anchors.grad.dtype == dtype
