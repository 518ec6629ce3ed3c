"""Random shapes of objects."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from corr.data.synthetic.bank import Bank
from corr.data.synthetic.shapes import (
    BAR,
    BLOB,
    BLOB_WAVES,
    DRAWN,
    ELLIPSE,
    EVERYWHERE,
    MAX_CORNERS,
    NUM_ROWS,
    POLYGON,
    ROUNDING,
    SHAPED,
    THICKNESS,
)
from corr.data.synthetic.silhouettes import CutOut

Rows = Float64[np.ndarray, " 22"]

SOLID = 1e6
"""Thickness without a hole."""

_SHARES = {
    "polygon": 0.24,
    "blob": 0.24,
    "ellipse": 0.1,
    "bar": 0.18,
    "word": 0.07,
    "cut out": 0.17,
}


class Outline(NamedTuple):
    """A shape in its own coordinates, px of the first view about its centre."""

    kind: int
    rows: Rows
    """See `shapes`."""
    half: tuple[float, float]
    """It lies within this distance of its centre, in u and in v."""
    cut_out: CutOut | None = None
    """Where it comes from, if that is a photograph."""


def everywhere() -> Outline:
    """The shape of a background."""
    return Outline(EVERYWHERE, np.zeros(NUM_ROWS), (np.inf, np.inf))


def draw_outline(rng: np.random.Generator, radius: float, bank: Bank) -> Outline:
    """A random shape that reaches about `radius` px from its centre."""
    names = list(_SHARES)
    shares = np.array([_SHARES[name] for name in names])
    shares[names.index("cut out")] *= bool(bank.cut_outs)
    name = names[rng.choice(len(names), p=shares / shares.sum())]
    if name == "bar":
        return _bar(rng, radius)
    if name == "word":
        number = bank.words[rng.integers(len(bank.words))]
        return _drawn(number, max(radius, 14.0))
    if name == "cut out":
        number, cut = bank.cut_outs[rng.integers(len(bank.cut_outs))]
        return _drawn(number, max(radius, 8.0), cut)
    makers = {"polygon": _polygon, "blob": _blob, "ellipse": _ellipse}
    kind, values, half = makers[name](rng, radius)
    thickness, rounding = SOLID, 0.0
    if radius > 12 and rng.random() < 0.2:
        thickness = rng.uniform(0.06, 0.2) * radius
    if kind == POLYGON and rng.random() < 0.4:
        rounding = rng.uniform(0, 0.3) * radius
    if thickness < SOLID or rounding > 0:
        kind += SHAPED
    half = (half[0] + rounding, half[1] + rounding)
    return Outline(kind, _rows(values, thickness, rounding), half)


def _rows(values: np.ndarray, thickness: float = SOLID, rounding: float = 0.0) -> Rows:
    rows = np.zeros(NUM_ROWS)
    rows[THICKNESS], rows[ROUNDING] = thickness / 2, rounding
    rows[2 : 2 + len(values)] = values
    return rows


_Drawn = tuple[int, np.ndarray, tuple[float, float]]


def _ellipse(rng: np.random.Generator, radius: float) -> _Drawn:
    axes = radius * np.array([1, np.exp(rng.uniform(np.log(0.3), 0))])
    return ELLIPSE, axes, (axes[0], axes[1])


def _polygon(rng: np.random.Generator, radius: float) -> _Drawn:
    """Corners around a centre; sometimes a box, or a star."""
    count = int(rng.choice([3, 4, 4, 4, 5, 6, 7, 8, 9, 10]))
    angle = 2 * np.pi * (np.arange(count) + rng.uniform(-0.35, 0.35, count)) / count
    reach = rng.uniform(0.55, 1, count)
    if count % 2 == 0 and count > 4 and rng.random() < 0.4:
        reach[::2], reach[1::2] = 1, rng.uniform(0.35, 0.6)
    corners = radius * reach[:, None] * np.stack((np.cos(angle), np.sin(angle)), 1)
    if count == 4 and rng.random() < 0.7:
        low = rng.uniform(0.25, 1)
        corners = radius * np.array([[-1, -low], [1, -low], [1, low], [-1, low]]) * 0.8
    corners = np.concatenate([corners, np.repeat(corners[-1:], MAX_CORNERS - count, 0)])
    half = np.abs(corners).max(0)
    return POLYGON, np.concatenate([corners[:, 0], corners[:, 1]]), (half[0], half[1])


def _blob(rng: np.random.Generator, radius: float) -> _Drawn:
    falling = np.repeat(1 / np.arange(2, 2 + BLOB_WAVES), 2)
    waves = rng.normal(0, rng.uniform(0.08, 0.3), 2 * BLOB_WAVES) * falling * 1.5
    amplitude = np.hypot(waves[::2], waves[1::2]).sum()
    waves *= min(1, 0.6 / max(amplitude, 1e-9))
    most = 1 + np.hypot(waves[::2], waves[1::2]).sum()
    mean = radius / most * 1.25
    return BLOB, np.concatenate([[mean], waves]), (mean * most, mean * most)


def _bar(rng: np.random.Generator, radius: float) -> Outline:
    """A bar or a wire, straight or wavy, alone or many beside each other."""
    length = radius * rng.uniform(1, 2.2)
    width = max(0.8, float(np.exp(rng.uniform(np.log(0.8), np.log(max(1.0, 0.12 * radius))))))
    size, rate, phase = 0.0, 0.0, 0.0
    if rng.random() < 0.4:
        rate = rng.uniform(1, 4) * np.pi / (2 * length)
        size, phase = rng.uniform(0.1, 0.6) / rate, rng.uniform(0, 2 * np.pi)
    distance, number = 1e6, 0
    if rng.random() < 0.35:
        distance = width * rng.uniform(3, 8)
        number = min(int(rng.integers(1, 9)), int(radius * 1.2 // distance))
    across = width + size + number * min(distance, 1e3)
    values = np.array([length, width, size, rate, phase, distance, number])
    return Outline(BAR, _rows(values), (length, across))


def _drawn(number: int, radius: float, cut: CutOut | None = None) -> Outline:
    return Outline(DRAWN, _rows(np.array([number, radius])), (radius, radius), cut)
