"""Which tiles a constraint leaves to score: both sides in spatial order, and ranges of columns.

The columns lie in horizontal strips and from left to right within each. Then the region of a query
covers in each strip one range of columns, found by bisection; a few queries that follow each other
have regions that lie close, and the hull of their ranges is what the tiles cover.
"""

from __future__ import annotations

from typing import no_type_check

import numpy as np

from corr.compiled import compiled
from corr.search.microkernel import COLUMNS, ROWS
from corr.search.rules import BOX, LINE, Rule
from corr.search.scan import Ranges

GROUP = 1
"""Row panels that share their ranges: the fewer, the closer their regions lie."""

SLACK = 1e-9
"""By which regions grow, in px and in proportion, so that rounding never cuts off what is in."""


def plan(rule: Rule, num_rows: int) -> tuple[tuple[np.ndarray, np.ndarray], Ranges] | None:
    """The order of rows and columns, and what to score; None where regions do not matter."""
    if not rule.conditions & (BOX | LINE):
        return None
    points = rule.points
    strip, edges = _strips(rule)
    order1 = np.lexsort((points[:, 0], strip))
    order0 = _order_of_rows(rule, edges)
    first = np.searchsorted(strip[order1], np.arange(len(edges)))  # and one past the last
    num_groups = -(-num_rows // (ROWS * GROUP))
    sorted_x, sorted_y = (np.ascontiguousarray(points[order1, axis]) for axis in (0, 1))
    bounds = _strip_bounds(sorted_y, first)
    arguments = (rule, order0, sorted_x, first, bounds, edges, ROWS * GROUP)
    start = np.zeros(num_groups + 1, np.int64)
    nothing = np.zeros(0, np.int64)
    _cover(*arguments, start, nothing, nothing, False)
    start = np.concatenate(([0], np.cumsum(start[1:])))
    low, high = np.zeros(start[-1], np.int64), np.zeros(start[-1], np.int64)
    _cover(*arguments, start, low, high, True)
    return (order0, order1), Ranges(start, low, high, GROUP)


def _strips(rule: Rule) -> tuple[np.ndarray, np.ndarray]:
    """Strip of each column, and the edges of the strips in y, as high as the regions are."""
    y = rule.points[:, 1]
    bottom, top = float(y.min()), float(y.max())
    most = max(1, len(y) // COLUMNS)
    if rule.conditions & BOX:
        height = max(float(np.median(rule.high[:, 1] - rule.low[:, 1])) / 2, 0.5)
        count = min(most, int((top - bottom) / height) + 1)
    else:
        count = min(most, int(np.ceil(2 * np.sqrt(most))))
    edges = np.linspace(bottom, np.nextafter(top, np.inf), count + 1)
    return np.clip(np.searchsorted(edges, y, side="right") - 1, 0, count - 1), edges


def _order_of_rows(rule: Rule, edges: np.ndarray) -> np.ndarray:
    if rule.conditions & BOX:
        middle = (rule.low + rule.high) / 2
        return np.lexsort((middle[:, 0], np.searchsorted(edges, middle[:, 1])))
    # All epipolar lines meet in one point, so where they cross a fixed line puts them in order.
    a, b, c = rule.line.T
    x, y = rule.points.mean(0)
    upright = np.abs(a).mean() > np.abs(b).mean()
    slope, rest = (a, b * y + c) if upright else (b, a * x + c)
    return np.argsort(np.divide(-rest, slope, where=slope != 0, out=np.zeros(len(a))))


def _strip_bounds(sorted_y: np.ndarray, first: np.ndarray) -> np.ndarray:
    """(S, 2) lowest and highest y of the columns in each strip; an empty one meets nothing."""
    bounds = np.tile(np.array([np.inf, -np.inf]), (len(first) - 1, 1))
    for s in np.flatnonzero(np.diff(first)):
        part = sorted_y[first[s] : first[s + 1]]
        bounds[s] = part.min(), part.max()
    return bounds


@compiled
@no_type_check
def _reach(rule, i, low_y, high_y):
    """The range in x that a row's region covers between two y; low above high where none."""
    low, high = -np.inf, np.inf
    if rule.conditions & BOX:
        if rule.low[i, 1] > high_y or rule.high[i, 1] < low_y:
            return np.inf, -np.inf
        low, high = rule.low[i, 0], rule.high[i, 0]
    if rule.conditions & LINE:
        a, b, c = rule.line[i]
        # a x = -b y - c +- reach, between the two y
        edge0, edge1 = -b * low_y - c, -b * high_y - c
        least = min(edge0, edge1) - rule.reach
        most = max(edge0, edge1) + rule.reach
        if abs(a) * 1e12 > abs(b):
            left, right = least / a, most / a
            low, high = max(low, min(left, right)), min(high, max(left, right))
        elif least > 0 or most < 0:
            return np.inf, -np.inf
    return low, high


@compiled
@no_type_check
def _cover(rule, order0, sorted_x, first, bounds, edges, size, start, low, high, write):  # noqa: PLR0917
    """Ranges of column panels that the regions of each `size` rows meet: count, or write them."""
    for g in range(len(start) - 1):
        members = order0[g * size : (g + 1) * size]
        spot, last = start[g] if write else 0, -1
        from_strip, to_strip = 0, len(bounds)
        if rule.conditions & BOX:
            low_y, high_y = np.inf, -np.inf
            for i in members:
                low_y, high_y = min(low_y, rule.low[i, 1]), max(high_y, rule.high[i, 1])
            from_strip = max(np.searchsorted(edges, low_y) - 1, 0)
            to_strip = min(np.searchsorted(edges, high_y, side="right"), to_strip)
        for s in range(from_strip, to_strip):
            if first[s] == first[s + 1]:
                continue
            left, right = np.inf, -np.inf
            for i in members:
                x0, x1 = _reach(rule, i, bounds[s, 0], bounds[s, 1])
                if x0 <= x1:
                    left, right = min(left, x0), max(right, x1)
            if left > right:
                continue
            left -= SLACK * (1 + abs(left)) if abs(left) < np.inf else 0.0
            right += SLACK * (1 + abs(right)) if abs(right) < np.inf else 0.0
            strip = sorted_x[first[s] : first[s + 1]]
            begin = first[s] + np.searchsorted(strip, left, side="left")
            end = first[s] + np.searchsorted(strip, right, side="right")
            if begin >= end:
                continue
            panel0, panel1 = max(begin // COLUMNS, last), (end - 1) // COLUMNS + 1
            if panel0 >= panel1:
                continue
            last = panel1
            if write:
                low[spot], high[spot] = panel0, panel1
            spot += 1
        if not write:
            start[g + 1] = spot
