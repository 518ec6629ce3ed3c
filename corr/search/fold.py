"""The inner loops of the search on a CPU, compiled by numba when first used."""

from __future__ import annotations

from typing import no_type_check

import numba
import numpy as np
from numba.extending import intrinsic

BLOCK = 64
"""Scores that are looked at together: the compiler turns the check into vector instructions."""


@numba.njit(cache=True, nogil=True)
@no_type_check
def _insert(scores, index, score, position):
    """Put one candidate into a descending list; it goes after equal ones."""
    place = len(scores) - 1
    while place > 0 and score > scores[place - 1]:
        scores[place] = scores[place - 1]
        index[place] = index[place - 1]
        place -= 1
    scores[place] = score
    index[place] = position


@numba.njit(cache=True, nogil=True)
@no_type_check
def _any_better(scores, row_worst, column_worst):
    """Whether one of `BLOCK` scores beats its row's or its column's worst kept one."""
    better = np.int32(0)
    for j in range(BLOCK):
        better |= np.int32(scores[j] > min(row_worst, column_worst[j]))
    return better != 0


@numba.njit(cache=True, nogil=True)
@no_type_check
def fold(tile, row_scores, row_index, column_scores, column_index, column_worst, row0, column0):  # noqa: PLR0917
    """Fold a tile of scores into the best `K` of its rows and of its columns.

    Most scores beat neither and are passed over a block at a time. Tiles of one row of tiles come
    from left to right, and those of one column from top to bottom, so that the first of equal
    scores, the one of lowest index, stays ahead.

    Args:
        tile: (R, C).
        row_scores: (R, K) descending, updated.
        row_index: (R, K), updated.
        column_scores: (C, K) descending, updated.
        column_index: (C, K), updated.
        column_worst: (C,), the last of each of `column_scores`, updated; +inf skips a column.
        row0: index of the tile's first row among the queries.
        column0: index of the tile's first column in the database.
    """
    last = row_scores.shape[1] - 1
    for i in range(tile.shape[0]):
        row = tile[i]
        worst = row_scores[i, last]
        for start in range(0, tile.shape[1], BLOCK):
            stop = min(start + BLOCK, tile.shape[1])
            short = stop - start < BLOCK
            if short or _any_better(row[start:stop], worst, column_worst[start:stop]):
                for j in range(start, stop):
                    score = row[j]
                    if score > worst:
                        _insert(row_scores[i], row_index[i], score, column0 + j)
                        worst = row_scores[i, last]
                    if score > column_worst[j]:
                        _insert(column_scores[j], column_index[j], score, row0 + i)
                        column_worst[j] = column_scores[j, -1]


@intrinsic
@no_type_check
def _count_bits(_context, word):
    def build(_generator, builder, _signature, arguments):
        return builder.ctpop(arguments[0])

    return word(word), build


@numba.njit(cache=True, nogil=True)
@no_type_check
def score_hamming(queries, database, tile):
    """Write minus the number of differing bits of each pair.

    Args:
        queries: (R, W) words of 64 bits.
        database: (W, C) words; each column is a row of the database.
        tile: (R, C), written.
    """
    bits = np.empty(tile.shape[1], np.uint64)
    for i in range(queries.shape[0]):
        bits[:] = 0
        for w in range(queries.shape[1]):
            query = queries[i, w]
            words = database[w]
            for j in range(len(bits)):
                bits[j] += _count_bits(query ^ words[j])
        for j in range(len(bits)):
            tile[i, j] = -np.float32(np.int32(bits[j]))
