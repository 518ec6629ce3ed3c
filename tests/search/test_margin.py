"""The proven bound of low precision: attacked by the worst rows, and not vacuous."""

import numba
import numpy as np
import pytest
import torch

from corr.search import tables
from corr.search.microkernel import (
    COLUMNS,
    HAS_BF16,
    ROWS,
    tile_bf16,
    tile_bits,
    tile_float32,
)
from corr.search.scan import Block
from corr.search.spaces import make_space
from corr.search.tables import BF16, FLOAT32, pack
from tests.search.brute_force import scores as brute_force


@numba.njit
def all_scores(rows, columns, kind, limit):
    """Every score of two blocks, as the tiles compute them, and how many reach the limit."""
    panels0, panels1, words = rows.words.shape[0], columns.words.shape[0], rows.words.shape[1]
    found = np.empty((panels0 * ROWS, panels1 * COLUMNS), np.float32)
    tile, masks = np.empty((ROWS, COLUMNS), np.float32), np.empty(ROWS, np.int64)
    limits = np.full(max(ROWS, COLUMNS), limit, np.float32)
    num_hits = 0
    for r in range(panels0):
        for c in range(panels1):
            a, b = rows.words[r], columns.words[c]
            g, h = rows.bias[r * ROWS :], columns.bias[c * COLUMNS :]
            arguments = (
                a.ctypes.data, b.ctypes.data, words, g.ctypes.data, h.ctypes.data,
                limits.ctypes.data, limits.ctypes.data, tile.ctypes.data, masks.ctypes.data,
            )  # fmt: skip
            if kind == BF16:
                hit = tile_bf16(*arguments)
            elif kind == FLOAT32:
                hit = tile_float32(*arguments)
            else:
                hit = tile_bits(*arguments)
            for i in range(ROWS):
                for bit in range(COLUMNS):
                    num_hits += (masks[i] >> bit) & 1
                if (masks[i] != 0) != ((hit >> i) & 1):
                    num_hits += 1 << 40  # the summary disagrees with the masks
            found[r * ROWS : (r + 1) * ROWS, c * COLUMNS : (c + 1) * COLUMNS] = tile
    return found, num_hits


def block(table, ready, width):
    padded = -(-len(table.values) // width) * width
    words = np.empty((padded // width, ready.num_words, width), np.uint32)
    names = np.arange(len(table.values))
    pack(table.values, table.centre, table.weight, ready.kind, names, width, words)
    bias = np.zeros(padded, np.float32)
    bias[: len(names)] = table.lengths.bias.numpy()
    return Block(words, bias, names, 0)


def by_tiles(queries, database, metric, limit=np.inf):
    """The scores of the tiles, the truth in the same scale, and the margins."""
    ready = tables.prepare(queries, database, metric)
    arguments = block(ready.table0, ready, ROWS), block(ready.table1, ready, COLUMNS)
    found, num_hits = all_scores(*arguments, ready.kind, np.float32(limit))
    truth = brute_force(queries, database, metric)
    if metric == "l2":
        truth = truth / 2
    if metric in ("dot", "l2"):
        truth = truth * (ready.pair.weight0[0] * ready.pair.weight1[0])
    return found[: len(queries), : len(database)], truth, ready.margins(), num_hits


def rows(kind, rng, count, width):
    if kind == "halfway":  # each number lies in the middle of two bfloat16, all signs alike
        return (1 + rng.integers(0, 64, (count, width)) / 64 + 2.0**-8) * (1 - 2.0**-20)
    if kind == "cancel":  # large terms that cancel
        half = 1e3 * rng.standard_normal((count, width // 2))
        return np.concatenate((half, -half * (1 + 1e-6 * rng.standard_normal(half.shape))), 1)
    if kind == "spread":
        return rng.standard_normal((count, width)) * 10.0 ** rng.uniform(-30, 3, (count, width))
    return rng.standard_normal((count, width))


@pytest.mark.parametrize("kind", ["normal", "halfway", "cancel", "spread"])
@pytest.mark.parametrize("metric", ["cosine", "dot", "l2"])
@pytest.mark.parametrize("low", [pytest.param(True, marks=pytest.mark.skipif(
    not HAS_BF16, reason="the processor does not multiply bfloat16")), False])  # fmt: skip
@pytest.mark.parametrize("width", [2, 31, 128, 1024])
def test_no_score_is_farther_from_the_truth_than_its_margin(kind, metric, low, width, monkeypatch):
    monkeypatch.setattr(tables, "BF16_FROM", 0 if low else 1 << 62)
    rng = np.random.default_rng(width)
    first, second = (torch.from_numpy(rows(kind, rng, count, width)).float() for count in (37, 101))
    found, truth, margins, _ = by_tiles(first, second, metric)
    error = np.abs(found - truth)
    assert (error <= margins[0][:, None]).all()
    assert (error <= margins[1][None]).all()


@pytest.mark.skipif(not HAS_BF16, reason="the processor does not multiply bfloat16")
def test_the_margin_is_not_vacuous(monkeypatch):
    """Where all roundings go the same way the error comes within a factor of two of it."""
    monkeypatch.setattr(tables, "BF16_FROM", 0)
    rng = np.random.default_rng(0)
    first, second = (torch.from_numpy(rows("halfway", rng, n, 128)).float() for n in (40, 60))
    found, truth, margins, _ = by_tiles(first, second, "dot")
    assert np.abs(found - truth).max() > margins[0].min() / 2


def test_the_same_bound_holds_for_the_tiles_of_torch():
    rng = np.random.default_rng(1)
    for kind in ("normal", "cancel", "spread"):
        first, second = (torch.from_numpy(rows(kind, rng, n, 64)).float() for n in (40, 60))
        for metric in ("cosine", "dot", "l2"):
            space = make_space(first, second, metric)
            tile = space.tile(slice(0, 40), slice(0, 60)).double()
            i, j = torch.meshgrid(torch.arange(40), torch.arange(60), indexing="ij")
            truth = space.exact(i.flatten(), j.flatten()).view(40, 60)
            margins = space.margins()
            assert ((tile - truth).abs() <= margins[0][:, None]).all()
            assert ((tile - truth).abs() <= margins[1][None]).all()


def test_bits_are_counted_exactly():
    rng = np.random.default_rng(2)
    for width in (1, 4, 7, 32, 61):
        first, second = (
            torch.from_numpy(rng.integers(0, 256, (n, width), dtype=np.uint8)) for n in (21, 75)
        )
        found, truth, margins, _ = by_tiles(first, second, "hamming")
        np.testing.assert_array_equal(found, truth)
        assert not margins[0].any()


def test_the_masks_mark_the_scores_that_reach_the_limit():
    rng = np.random.default_rng(3)
    first, second = (torch.from_numpy(rng.standard_normal((n, 16))).float() for n in (64, 96))
    found, _, _, num_hits = by_tiles(first, second, "cosine", limit=0.25)
    padding = 0  # both are whole numbers of panels, or rows of zeros, whose score is 0
    assert num_hits == (found >= 0.25).sum() + padding
