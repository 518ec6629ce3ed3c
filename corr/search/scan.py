"""The loops of the search over tiles: score, compare, keep what may be among the best."""

from __future__ import annotations

from typing import NamedTuple, no_type_check

import numpy as np

from corr.compiled import borrowed, compiled, inlined
from corr.search.candidates import append, borrow_pair, borrow_side, exact_score, settle
from corr.search.microkernel import (
    COLUMNS,
    ROWS,
    lowest_bit,
    tile_bf16,
    tile_bits,
    tile_float32,
)
from corr.search.rules import CEILING, allows, borrow_rule
from corr.search.tables import BF16, FLOAT32

ENOUGH_HITS = 512
"""Scores that beat a limit are looked at so many at a time: later, the limits would be too old."""

MOST_HITS = ENOUGH_HITS + ROWS * COLUMNS


class Block(NamedTuple):
    """Some rows or columns in panels, `names` of them from place `first` on."""

    words: np.ndarray
    """(P, W, width) uint32."""
    bias: np.ndarray
    """(P * width,) float32."""
    names: np.ndarray
    """(T,) int64, their rows in their table."""
    first: int
    """The place of the first in the side's candidates."""


class Ranges(NamedTuple):
    """What is scored: for each group of row panels, ranges of column panels."""

    start: np.ndarray
    """(G + 1,) where the ranges of each group begin."""
    low: np.ndarray
    """(R,) first panel of each range."""
    high: np.ndarray
    """(R,) the panel after its last."""
    group: int
    """Row panels of a group."""


@inlined
@no_type_check
def _borrow_block(block):
    return Block(borrowed(block.words), borrowed(block.bias), borrowed(block.names), block.first)


@compiled
@no_type_check
def scan(rows, columns, kind, ranges, first_panel, side0, side1, pair, rule):  # noqa: PLR0917
    """Score the tiles of a block of rows and a block of columns, and take their candidates.

    Args:
        rows: a `Block`.
        columns: a `Block`.
        kind: what a word of the panels holds.
        ranges: `Ranges`, of panels counted from the first of all columns.
        first_panel: of `columns`, counted so.
        side0: candidates of the rows, updated.
        side1: candidates of the columns, updated.
        pair: the tables, for scores in float64.
        rule: which pairs are allowed.

    Returns:
        How many scores were computed.
    """
    rows, columns, rule = _borrow_block(rows), _borrow_block(columns), borrow_rule(rule)
    side0, side1, pair = borrow_side(side0), borrow_side(side1), borrow_pair(pair)
    num_panels0, num_words = rows.words.shape[0], rows.words.shape[1]
    num_panels1 = columns.words.shape[0]
    scores = np.empty((ROWS, COLUMNS), np.float32)
    masks = np.empty(ROWS, np.int64)
    words0, words1 = rows.words.ctypes.data, columns.words.ctypes.data
    bias0, bias1 = rows.bias.ctypes.data, columns.bias.ctypes.data
    limit0 = side0.limit.ctypes.data + 4 * rows.first
    limit1 = side1.limit.ctypes.data
    target, hit = scores.ctypes.data, masks.ctypes.data
    places0, places1 = np.empty(MOST_HITS, np.int64), np.empty(MOST_HITS, np.int64)
    hit_scores = np.empty(MOST_HITS, np.float32)
    num_hits, num_tiles = 0, 0
    for g in range(len(ranges.start) - 1):
        top, bottom = g * ranges.group, min((g + 1) * ranges.group, num_panels0)
        for part in range(ranges.start[g], ranges.start[g + 1]):
            low = max(ranges.low[part] - first_panel, 0)
            high = min(ranges.high[part] - first_panel, num_panels1)
            for c in range(low, high):
                for r in range(top, bottom):
                    row, column = 4 * ROWS * r, 4 * COLUMNS * c
                    arguments = (
                        words0 + row * num_words,
                        words1 + column * num_words,
                        num_words,
                        bias0 + row,
                        bias1 + column,
                        limit0 + row,
                        limit1 + column,
                        target,
                        hit,
                    )
                    if kind == BF16:
                        hit_rows = tile_bf16(*arguments)
                    elif kind == FLOAT32:
                        hit_rows = tile_float32(*arguments)
                    else:
                        hit_rows = tile_bits(*arguments)
                    if hit_rows:
                        while hit_rows:
                            a = lowest_bit(hit_rows)
                            hit_rows &= hit_rows - 1
                            mask = masks[a]
                            while mask:
                                lane = lowest_bit(mask)
                                mask &= mask - 1
                                places0[num_hits] = r * ROWS + a
                                places1[num_hits] = c * COLUMNS + lane
                                hit_scores[num_hits] = scores[a, lane]
                                num_hits += 1
                        if num_hits >= ENOUGH_HITS:
                            _take(
                                places0, places1, hit_scores, num_hits,
                                rows, columns, side0, side1, pair, rule,
                            )  # fmt: skip
                            num_hits = 0
                num_tiles += max(bottom - top, 0)
    _take(places0, places1, hit_scores, num_hits, rows, columns, side0, side1, pair, rule)
    return num_tiles * ROWS * COLUMNS


@compiled
@no_type_check
def _take(places0, places1, hit_scores, num_hits, rows, columns, side0, side1, pair, rule):  # noqa: PLR0917
    """Add the scores that beat a limit to the candidates of their row and of their column."""
    names0, names1, first = rows.names, columns.names, rows.first
    index0, value0, count0, best0 = side0.names, side0.value, side0.size, side0.best
    index1, value1, count1, best1 = side1.names, side1.value, side1.size, side1.best
    limit0, limit1, margin0, margin1 = side0.limit, side1.limit, side0.margin, side1.margin
    room0, room1 = index0.shape[1], index1.shape[1]
    conditions, points, low, high, line = (
        rule.conditions,
        rule.points,
        rule.low,
        rule.high,
        rule.line,
    )
    reach, middle, radius, away, apart = rule.reach, rule.middle, rule.radius, rule.away, rule.apart
    track0, track1, ceiling = rule.track0, rule.track1, rule.ceiling
    for h in range(num_hits):
        place0, j, score = places0[h], places1[h], hit_scores[h]
        if place0 >= len(names0) or j >= len(names1):
            continue
        i = first + place0
        for_row, for_column = score >= limit0[i], score >= limit1[j]
        if not (for_row or for_column):
            continue
        own0, own1 = names0[place0], names1[j]
        if conditions:
            if not allows(
                conditions, points, low, high, line, reach, middle, radius, away, apart,
                track0, track1, own0, own1,
            ):  # fmt: skip
                continue
            if (
                conditions & CEILING
                and score + margin0[i] > ceiling
                and (score - margin0[i] > ceiling or exact_score(pair, own0, own1, score) > ceiling)
            ):
                continue
        if for_row:
            if count0[i] == room0:
                settle(side0, pair, i, own0, False, False)
                for_row = score >= limit0[i]
            if for_row:
                append(index0, value0, count0, best0, limit0, margin0, i, own1, score)
        if for_column:
            if count1[j] == room1:
                settle(side1, pair, j, own1, True, False)
                for_column = score >= limit1[j]
            if for_column:
                append(index1, value1, count1, best1, limit1, margin1, j, own0, score)
