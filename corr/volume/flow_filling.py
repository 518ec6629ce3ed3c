"""A flow for every cell of a grid from that of some: smooth, but for the edges of the image."""

from __future__ import annotations

import numpy as np
import scipy.sparse.linalg
from jaxtyping import Bool, Float, Float32
from scipy import ndimage, sparse

SMOOTHNESS = 0.3
"""Weight of the smoothness beside that of a match of confidence 1."""

COLOUR_RANGE = 0.04
"""Difference of colours in [0, 1], root mean square, at which two neighbours are half as bound."""

LEAST_BOND = 0.02
"""Of neighbours that differ in colour altogether."""

MATCH_RANGE, STEP_RANGE = 2.0, 0.2
"""px from which on a match that the flow leaves, and a step of the flow, cost linearly."""

ROUNDS = 5
_CG_STEPS, _CG_RELATIVE = 150, 1e-4

NEIGHBOURS = 2
"""Cells right, left, below and above that a match is compared with."""

AGREEING = 1 / 3
"""Share of the matches around that have to agree with one."""


def consistent(
    flow: Float[np.ndarray, "Hs Ws 2"], tolerance_px: float
) -> Bool[np.ndarray, "Hs Ws"]:
    """Which cells have a match with which at least `AGREEING` of the matches around agree.

    Args:
        flow: px; NaN where there is no match.
        tolerance_px: largest difference of two that agree.
    """
    known = np.isfinite(flow).all(axis=2)
    agreeing, others = np.zeros(known.shape), np.zeros(known.shape)
    padded = np.pad(flow, ((NEIGHBOURS,) * 2, (NEIGHBOURS,) * 2, (0, 0)), constant_values=np.nan)
    height, width = known.shape
    for dy in range(2 * NEIGHBOURS + 1):
        for dx in range(2 * NEIGHBOURS + 1):
            if dy == dx == NEIGHBOURS:
                continue
            other = padded[dy : dy + height, dx : dx + width]
            others += np.isfinite(other).all(axis=2)
            agreeing += np.linalg.norm(other - flow, axis=2) <= tolerance_px  # NaN is not
    kept: Bool[np.ndarray, "Hs Ws"] = known & (agreeing >= np.maximum(AGREEING * others, 1))
    return kept


def fill_flow(
    flow: Float[np.ndarray, "Hs Ws 2"],
    confidence: Float[np.ndarray, "Hs Ws"],
    colours: Float[np.ndarray, "Hs Ws C"],
) -> Float32[np.ndarray, "Hs Ws 2"]:
    """The flow that keeps near the matches and changes where the colours do.

    It minimises the sum over the matches of `confidence * r(|f - match|)` and over neighbours of
    `SMOOTHNESS * bond * r(|f - f'|)`, where the bond falls with the difference of their colours and
    r is linear far from 0, so that false matches and steps at edges cost little. The minimum is
    sought by reweighted least squares, each round by conjugate gradients.

    Args:
        flow: px; NaN where there is no match.
        confidence: of the matches, above 0; others are not read.
        colours: of the cells, in [0, 1].

    Returns:
        0 everywhere where there is no match at all.

    Source: the bonds are those of Levin 2004, "Colorization using optimization"; the robust terms
    those of Brox 2004, "High accuracy optical flow estimation based on a theory for warping".
    """
    known = np.isfinite(flow).all(axis=2) & (confidence > 0)
    if not known.any():
        return np.zeros(flow.shape, np.float32)
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    found = flow[tuple(nearest)].reshape(-1, 2).astype(np.float64)
    matches = np.where(known[..., None], flow, 0).reshape(-1, 2).astype(np.float64)
    sure = np.where(known, confidence, 0).ravel().astype(np.float64)
    first, second = _neighbours(known.shape)
    flat = colours.reshape(len(sure), -1).astype(np.float64)
    difference = np.square(flat[first] - flat[second]).mean(axis=1)
    bond = SMOOTHNESS * (LEAST_BOND + 1 / (1 + difference / COLOUR_RANGE**2))
    for _ in range(ROUNDS):
        left = np.linalg.norm(found - matches, axis=1) / MATCH_RANGE
        step = np.linalg.norm(found[first] - found[second], axis=1) / STEP_RANGE
        data = sure / np.sqrt(1 + left**2)
        found = _solve(data, matches, bond / np.sqrt(1 + step**2), first, second, found)
    filled: Float32[np.ndarray, "Hs Ws 2"] = found.reshape(flow.shape).astype(np.float32)
    return filled


def _neighbours(shape: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of both cells of each pair beside or below each other."""
    cells = np.arange(shape[0] * shape[1]).reshape(shape)
    return (
        np.concatenate((cells[:, :-1].ravel(), cells[:-1].ravel())),
        np.concatenate((cells[:, 1:].ravel(), cells[1:].ravel())),
    )


def _solve(  # noqa: PLR0917 - the parts of one linear system
    data: np.ndarray,
    matches: np.ndarray,
    bond: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    start: np.ndarray,
) -> np.ndarray:
    """Both components of the weighted least squares, each by preconditioned conjugate gradients."""
    size = len(data)
    diagonal = data + np.bincount(first, bond, size) + np.bincount(second, bond, size) + 1e-9
    rows, columns = np.concatenate((first, second)), np.concatenate((second, first))
    off = sparse.csr_matrix((-np.concatenate((bond, bond)), (rows, columns)), (size, size))
    matrix = off + sparse.diags(diagonal)
    scale = sparse.diags(1 / diagonal)
    parts = [
        scipy.sparse.linalg.cg(
            matrix, data * matches[:, k], start[:, k], rtol=_CG_RELATIVE, maxiter=_CG_STEPS, M=scale
        )[0]
        for k in range(2)
    ]
    return np.stack(parts, axis=1)
