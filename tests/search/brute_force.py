"""Nearest neighbours by float64 brute force, in plain numpy: what the search has to find."""

import numpy as np
import torch
from torch import Tensor


def scores(queries: Tensor, database: Tensor, metric: str) -> np.ndarray:
    """(N, M) float64; the terms are summed from the first to the last."""
    if metric == "hamming":
        rows, columns = (np.unpackbits(x.numpy(), axis=1) for x in (queries, database))
        return -(rows[:, None] != columns[None]).sum(2).astype(float)
    rows, columns = (x.double().numpy() for x in (queries, database))
    total = np.zeros((len(rows), len(columns)))
    for d in range(rows.shape[1]):
        if metric == "l2":
            total -= (rows[:, d, None] - columns[None, :, d]) ** 2
        else:
            total += rows[:, d, None] * columns[None, :, d]
    if metric == "cosine":
        weights = [inverse_lengths(x) for x in (queries, database)]
        total *= weights[0][:, None] * weights[1][None]
    return total


def inverse_lengths(table: Tensor) -> np.ndarray:
    total = np.zeros(len(table))
    for column in table.double().numpy().T:
        total += column**2
    length = np.sqrt(total)
    unit = np.abs(length - 1) <= 4 * torch.finfo(table.dtype).eps
    return np.where(unit, 1.0, np.divide(1, length, where=length > 0, out=np.zeros(len(length))))


def best(table: np.ndarray, k: int) -> np.ndarray:
    """(N, k) the best of each row, of equal ones the lowest index; -1 for those of -inf."""
    order = np.argsort(-table, axis=1, kind="stable")[:, :k]
    return np.where(np.isneginf(np.take_along_axis(table, order, 1)), -1, order)
