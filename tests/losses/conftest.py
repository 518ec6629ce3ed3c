import pytest
import torch
import torch.nn.functional as F


@pytest.fixture
def make_batch():
    """Matching unit-length descriptors in double, as far apart as `noise` says."""

    def make(num=13, dim=6, *, noise=0.5, seed=0, dtype=torch.float64):
        generator = torch.Generator().manual_seed(seed)
        first, second = torch.randn(2, num, dim, generator=generator, dtype=dtype)
        anchors = F.normalize(first, dim=1)
        return anchors, F.normalize(anchors + noise * F.normalize(second, dim=1), dim=1)

    return make


@pytest.fixture
def small_blocks(monkeypatch):
    """Matrices are made three rows at a time, where a batch has 13."""
    monkeypatch.setattr("corr.losses.blocks.BLOCK_VALUES", 40)
