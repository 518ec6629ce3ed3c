"""What may still be among the best of a row, and what is known exactly: the search's bookkeeping.

A score from the tiles is uncertain by at most the margin of its row. So what is certain of a row is
a lower bound of its k-th best score, and whatever lies a margin below that bound may still be among
the best: a candidate. When a row's list of candidates is full they are scored in float64, and only
the k best are kept.
"""

from __future__ import annotations

from typing import NamedTuple, no_type_check

import numpy as np

from corr.compiled import borrowed, compiled, inlined

DOT, L2, BITS = 0, 1, 2
"""How `exact_score` compares two rows."""

SORTED_BY_INSERTION = 32


class Pair(NamedTuple):
    """Both tables, for scores in float64."""

    metric: int
    rows: np.ndarray
    """(N, D) float32 or float64; unused for bits, whose first scores are exact."""
    columns: np.ndarray
    """(M, D) likewise."""
    weight0: np.ndarray
    """(N,) what a row is multiplied by, in float64."""
    weight1: np.ndarray
    """(M,) likewise."""


class Side(NamedTuple):
    """The candidates of each row of one side; `C` fit, and the first `num_known` are exact."""

    names: np.ndarray
    """(N, C) int64, rows of the other side."""
    value: np.ndarray
    """(N, C) float64 scores, within `margin` of the truth."""
    size: np.ndarray
    """(N,) int64, how many there are."""
    num_known: np.ndarray
    """(N,) int64, how many of them were scored in float64; best first."""
    best: np.ndarray
    """(N, K) float64, lower bounds of the k best scores, highest first."""
    limit: np.ndarray
    """(N,) float32: a lower score from the tiles cannot be among the best; it only rises."""
    margin: np.ndarray
    """(N,) float64."""


def empty_side(margin: np.ndarray, k: int, padded: int) -> Side:
    """No candidate yet.

    Args:
        margin: largest error of a score from the tiles, of each row.
        k: how many are sought; 0 seeks none.
        padded: rows of `limit`, those beyond the last row included, which take nothing.
    """
    num_rows, room = len(margin), max(16, 2 * k + 8) if k else 1
    limit = np.full(padded, np.inf, np.float32)
    if k:
        limit[:num_rows] = -np.inf
    return Side(
        np.zeros((num_rows, room), np.int64),
        np.zeros((num_rows, room)),
        np.zeros(num_rows, np.int64),
        np.zeros(num_rows, np.int64),
        np.full((num_rows, max(k, 1)), -np.inf),
        limit,
        margin,
    )


@inlined
@no_type_check
def borrow_side(side):
    """The side for the loops of one thread, see `borrowed`."""
    return Side(
        borrowed(side.names),
        borrowed(side.value),
        borrowed(side.size),
        borrowed(side.num_known),
        borrowed(side.best),
        borrowed(side.limit),
        borrowed(side.margin),
    )


@inlined
@no_type_check
def borrow_pair(pair):
    """The tables for the loops of one thread, see `borrowed`."""
    return Pair(
        pair.metric,
        borrowed(pair.rows),
        borrowed(pair.columns),
        borrowed(pair.weight0),
        borrowed(pair.weight1),
    )


@compiled
@no_type_check
def exact_score(pair, i, j, approximate):
    """The score in float64, summed from the first value to the last."""
    if pair.metric == BITS:
        return approximate
    row, column = pair.rows[i], pair.columns[j]
    total = 0.0
    if pair.metric == L2:
        for d in range(len(row)):
            difference = np.float64(row[d]) - np.float64(column[d])
            total -= difference * difference
        total *= 0.5
    else:
        for d in range(len(row)):
            total += np.float64(row[d]) * np.float64(column[d])
    return total * (pair.weight0[i] * pair.weight1[j])


@compiled
@no_type_check
def _score_exactly(pair, own, turned, index, value):
    """Replace the scores of a row's candidates by those of `exact_score`.

    Four sums go on at a time, since each addition waits for the one before it.
    """
    if pair.metric != DOT:
        for spot in range(len(index)):
            i, j = (index[spot], own) if turned else (own, index[spot])
            value[spot] = exact_score(pair, i, j, value[spot])
        return
    row = pair.columns[own] if turned else pair.rows[own]
    table = pair.rows if turned else pair.columns
    last = len(index) - 1
    for first in range(0, len(index), 4):
        a, b = index[first], index[min(first + 1, last)]
        c, e = index[min(first + 2, last)], index[min(first + 3, last)]
        sum_a, sum_b, sum_c, sum_e = 0.0, 0.0, 0.0, 0.0
        for d in range(len(row)):
            number = np.float64(row[d])
            sum_a += number * np.float64(table[a, d])
            sum_b += number * np.float64(table[b, d])
            sum_c += number * np.float64(table[c, d])
            sum_e += number * np.float64(table[e, d])
        value[first] = sum_a
        value[min(first + 1, last)] = sum_b
        value[min(first + 2, last)] = sum_c
        value[min(first + 3, last)] = sum_e
    for spot in range(len(index)):
        i, j = (index[spot], own) if turned else (own, index[spot])
        value[spot] *= pair.weight0[i] * pair.weight1[j]


@inlined
@no_type_check
def _just_below(score):
    """A float32 number that is not above the score, and hardly below it."""
    return np.float32(score - abs(score) * 2.0**-23)


@compiled
@no_type_check
def _sort(side, i, count):
    """Order the first `count` candidates: highest score first, of equal ones the lowest index."""
    index, value = side.names[i], side.value[i]
    if count > SORTED_BY_INSERTION:
        order = np.argsort(index[:count])
        order = order[np.argsort(-value[:count][order], kind="mergesort")]
        index[:count], value[:count] = index[:count][order], value[:count][order]
        return
    for a in range(1, count):
        score, place, b = value[a], index[a], a - 1
        while b >= 0 and (value[b] < score or (value[b] == score and index[b] > place)):
            value[b + 1], index[b + 1] = value[b], index[b]
            b -= 1
        value[b + 1], index[b + 1] = score, place


@compiled
@no_type_check
def settle(side, pair, i, own, turned, finish):  # noqa: PLR0917
    """Drop the candidates that are out; where that leaves too many, score the others in float64.

    Args:
        side: of the rows.
        pair: the tables.
        i: the row's place in `side`.
        own: its row in its table.
        turned: whether the side's rows are the pair's columns.
        finish: score them in any case.

    Returns:
        How many might have been among the best before they were scored.
    """
    index, value = side.names[i], side.value[i]
    k = side.best.shape[1]
    lowest = side.best[i, -1] - side.margin[i]
    kept = side.num_known[i]
    for a in range(kept, side.size[i]):
        if value[a] >= lowest:
            index[kept], value[kept] = index[a], value[a]
            kept += 1
    side.size[i] = kept
    if not finish and kept <= len(index) // 2:
        return kept
    known = side.num_known[i]
    _score_exactly(pair, own, turned, index[known:kept], value[known:kept])
    _sort(side, i, kept)
    left = min(k, kept)
    side.size[i] = left
    side.num_known[i] = left
    side.best[i, :left] = value[:left]
    side.limit[i] = max(side.limit[i], _just_below(side.best[i, k - 1] - side.margin[i]))
    return kept


@inlined
@no_type_check
def append(index, value, count, best, limit, margin, i, other, score):  # noqa: PLR0917
    """Take a candidate, for which there is room, and raise the limit where it is one of the best.

    Args:
        index: of a `Side`, as are the arrays that follow.
        value: likewise.
        count: likewise.
        best: likewise.
        limit: likewise.
        margin: likewise.
        i: the row's place in the side.
        other: the candidate.
        score: its score, within the row's margin.
    """
    spot = count[i]
    index[i, spot] = other
    value[i, spot] = score
    count[i] = spot + 1
    lower = score - margin[i]
    place = best.shape[1] - 1
    if lower > best[i, place]:
        while place > 0 and lower > best[i, place - 1]:
            best[i, place] = best[i, place - 1]
            place -= 1
        best[i, place] = lower
        limit[i] = max(limit[i], _just_below(best[i, best.shape[1] - 1] - margin[i]))


@compiled
@no_type_check
def absorb(side, pair, names, turned, other):
    """Take all candidates of a side with the same rows, which saw another part of the tables."""
    side, other, pair = borrow_side(side), borrow_side(other), borrow_pair(pair)
    for i in range(len(names)):
        for a in range(other.size[i]):
            if other.value[i, a] >= side.limit[i]:
                if side.size[i] == side.names.shape[1]:
                    settle(side, pair, i, names[i], turned, False)
                append(
                    side.names,
                    side.value,
                    side.size,
                    side.best,
                    side.limit,
                    side.margin,
                    i,
                    other.names[i, a],
                    other.value[i, a],
                )


@compiled
@no_type_check
def finish(side, pair, names, turned, index, value, doubtful, start, stop):  # noqa: PLR0917
    """Write the best of some rows, all exact, and which rows had more candidates than places.

    Args:
        side: of the rows.
        pair: the tables.
        names: (N,) the rows of `side` in their table, which are those written.
        turned: whether the side's rows are the pair's columns.
        index: (T, K) -1 where a row has none, written.
        value: (T, K), written.
        doubtful: (T,), written.
        start: the first of the rows.
        stop: the row after the last.
    """
    side, pair, names = borrow_side(side), borrow_pair(pair), borrowed(names)
    index, value, doubtful = borrowed(index), borrowed(value), borrowed(doubtful)
    for i in range(start, stop):
        own = names[i]
        before = settle(side, pair, i, own, turned, True)
        found = side.size[i]
        index[own, :found] = side.names[i, :found]
        value[own, :found] = side.value[i, :found]
        doubtful[own] = pair.metric != BITS and before > found
