"""Keypoints at the peaks of a map: where they are, how many, and without a bias."""

import numpy as np
import pytest
import torch

from corr.extractors.peaks import find_peaks

SIZE = (48, 64)


def blobs(points, heights, sigma=1.3, floor=-8.0):
    """Logits that fall as the square of the distance to the nearest point."""
    y, x = torch.meshgrid(torch.arange(SIZE[0]), torch.arange(SIZE[1]), indexing="ij")
    away = [
        h - ((x - px) ** 2 + (y - py) ** 2) / (2 * sigma**2)
        for (px, py), h in zip(points, heights, strict=True)
    ]
    return torch.stack(away).amax(0).clamp_min(floor)


@pytest.fixture
def placed():
    rng = np.random.default_rng(0)
    grid = np.stack(np.meshgrid(np.arange(6, 60, 10), np.arange(6, 44, 10)), -1).reshape(-1, 2)
    points = grid + rng.uniform(-0.5, 0.5, grid.shape)
    return points, rng.uniform(-1, 3, len(points))


def test_they_are_where_the_blobs_are_best_first(placed):
    points, heights = placed
    found = find_peaks(blobs(points, heights).float(), 100)
    order = np.argsort(-heights)
    assert len(found.points) == len(points)  # and none on the flat floor around the blobs
    np.testing.assert_allclose(found.points, points[order], atol=1e-3)
    np.testing.assert_allclose(found.scores, 1 / (1 + np.exp(-heights[order])), atol=1e-5)
    np.testing.assert_array_less(np.diff(found.scores), 1e-7)


def test_no_more_than_asked_for_and_none_at_the_border(placed):
    logits = blobs(*placed).float()
    assert len(find_peaks(logits, 5).points) == 5
    away = find_peaks(logits, 10_000, border=9).points
    assert (away >= 8.5).all()
    assert (away[:, 0] <= SIZE[1] - 9.5).all() and (away[:, 1] <= SIZE[0] - 9.5).all()
    assert len(find_peaks(logits[:4, :4], 10, border=2).points) == 0


def test_no_two_are_near():
    rng = torch.Generator().manual_seed(0)
    points = find_peaks(torch.randn(SIZE, generator=rng), 10_000, radius=3).points
    apart = (points[:, None] - points[None]).abs().amax(-1)
    apart.fill_diagonal_(torch.inf)
    assert len(points) > 20
    assert apart.min() > 2  # 4 px between their pixels, less half of one at either side


def test_a_turned_map_has_the_same_peaks_turned():
    rng = torch.Generator().manual_seed(1)
    logits = torch.randn(SIZE, generator=rng)
    reliability = torch.randn(12, 16, generator=rng)
    first = find_peaks(logits, 200, reliability=reliability, stride=4)
    second = find_peaks(logits.flip(0, 1), 200, reliability=reliability.flip(0, 1), stride=4)
    back = torch.tensor([SIZE[1] - 1.0, SIZE[0] - 1.0]) - second.points
    assert torch.allclose(first.scores, second.scores, atol=1e-6)
    assert torch.allclose(first.points, back, atol=1e-4)


def test_reliability_reorders(placed):
    points, _ = placed
    logits = blobs(points, np.full(len(points), 2.0)).float()
    reliability = torch.full((12, 16), -4.0)
    reliability[:, 8:] = 4.0  # the right half
    found = find_peaks(logits, len(points) // 2, reliability=reliability, stride=4)
    assert (found.points[:, 0] > 31).float().mean() > 0.9
