"""Support of neighbours: against a loop, and what it is for."""

import math

import torch

from corr.volume.consensus import dual_softmax, neighbourhood_consensus


def by_loop(scores: torch.Tensor, sigma: float) -> torch.Tensor:
    reach = math.ceil(2.5 * sigma)
    steps = range(-reach, reach + 1)
    weight = {d: math.exp(-d * d / (2 * sigma**2)) for d in steps}
    norm = sum(weight.values())
    result = torch.zeros_like(scores)
    height0, width0, height1, width1 = scores.shape
    for y0, x0, y1, x1 in torch.cartesian_prod(*map(torch.arange, scores.shape)).tolist():
        for dy in steps:
            for dx in steps:
                inside = 0 <= y0 + dy < height0 and 0 <= x0 + dx < width0
                if inside and 0 <= y1 + dy < height1 and 0 <= x1 + dx < width1:
                    share = weight[dy] * weight[dx] / norm**2
                    result[y0, x0, y1, x1] += share * scores[y0 + dy, x0 + dx, y1 + dy, x1 + dx]
    return result


def test_same_as_a_loop():
    scores = torch.rand(4, 3, 2, 5, generator=torch.Generator().manual_seed(0)).double()
    torch.testing.assert_close(neighbourhood_consensus(scores, 0.6), by_loop(scores, 0.6))
    assert neighbourhood_consensus(scores, 0.0) is scores


def test_finds_a_shift_that_single_places_do_not_tell():
    """Of descriptors with much noise few have the right neighbour; with their surroundings most."""
    generator = torch.Generator().manual_seed(1)
    place = torch.randn(16, 16, 8, generator=generator)
    noisy = place + 1.5 * torch.randn(16, 16, 8, generator=generator)
    moved = torch.roll(noisy, (2, 3), (0, 1))
    scores = dual_softmax(torch.einsum("abd,ced->abce", place, moved), 2.0)
    y, x = torch.meshgrid(torch.arange(12), torch.arange(12), indexing="ij")

    def right(table: torch.Tensor) -> float:
        best = table[:12, :12].flatten(2).argmax(2)
        return float((best == (y + 2) * 16 + x + 3).float().mean())

    alone, together = right(scores), right(neighbourhood_consensus(scores, 2.5))
    assert alone < 0.6
    assert together > 0.9


def test_dual_softmax_is_a_probability_in_both_directions():
    scores = torch.randn(3, 4, 5, 2, generator=torch.Generator().manual_seed(2))
    both = dual_softmax(scores, 0.5)
    table = scores.reshape(12, 10) / 0.5
    expected = (table.softmax(1) * table.softmax(0)).sqrt().reshape(scores.shape)
    torch.testing.assert_close(both, expected)
