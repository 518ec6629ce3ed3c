"""The hardest-in-batch loss, forward and backward: mined by search against a matrix of distances.

    python tests/benchmarks/bench_mining.py

Spread is how far descriptors lie from their mean; at 0.06 they are all alike, as those of an
untrained network. Both losses take the same batches in turns.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import torch
import torch.nn.functional as F
from torch import Tensor

from corr.losses import TripletLoss
from corr.losses.distances import pairwise_distances
from corr.losses.triplet import negative_pairs

Loss = Callable[[Tensor, Tensor], Tensor]
WIDTH = 128


def by_matrix(anchors: Tensor, positives: Tensor) -> Tensor:
    """The same loss from all distances."""
    distances = pairwise_distances(anchors, positives)
    negatives = distances.masked_fill(~negative_pairs(distances), torch.inf)
    closest = torch.minimum(negatives.amin(1), negatives.amin(0))
    return (1 + distances.diagonal() - closest).clamp_min(0).mean()


def time_ms(losses: list[Loss], size: int, spread: float, rounds: int) -> list[float]:
    """Median time of a step of each loss."""
    middle = F.normalize(torch.randn(1, WIDTH), dim=1)
    anchors = F.normalize(middle + spread * F.normalize(torch.randn(size, WIDTH), dim=1), dim=1)
    noise = 0.4 * spread * F.normalize(torch.randn(size, WIDTH), dim=1)
    sides = [anchors.requires_grad_(), F.normalize(anchors.detach() + noise, dim=1)]
    sides[1].requires_grad_()
    times: list[list[float]] = [[] for _ in losses]
    for turn in range(1 + rounds):
        for loss, found in zip(losses, times, strict=True):
            start = time.perf_counter()
            loss(*sides).backward()
            if turn:
                found.append(1e3 * (time.perf_counter() - start))
    return [median(found) for found in times]


def main() -> None:
    """Print the table."""
    torch.manual_seed(0)
    print("     B  spread  matrix ms  search ms  ratio")
    for size, rounds in ((256, 40), (1024, 10), (4096, 3)):
        for spread in (10.0, 0.06):
            matrix, search = time_ms([by_matrix, TripletLoss()], size, spread, rounds)
            ratio = matrix / search
            print(f"{size:6d} {spread:7.2f} {matrix:10.1f} {search:10.1f} {ratio:6.1f}", flush=True)


if __name__ == "__main__":
    main()
