"""What the surface of a layer shows: its texture, colours and shading."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float64

from corr.data.synthetic.bank import Bank
from corr.data.synthetic.config import Surfaces
from corr.data.synthetic.outlines import Outline
from corr.data.synthetic.ranges import log_uniform

TEXTURE_MAP, COLOUR, LIGHT = slice(0, 6), slice(6, 18), slice(18, 22)
"""Rows: affine map from the layer to the texture, px; a matrix and offsets of colours in [0, 255];
change of light along u and v, how much darker the edge is, and how wide that edge, px."""

NUM_ROWS = 22


class Material(NamedTuple):
    """A surface of one layer."""

    texture: int
    rows: Float64[np.ndarray, " 22"]


def draw_material(
    rng: np.random.Generator, outline: Outline, bank: Bank, surfaces: Surfaces, radius: float
) -> Material:
    """A random surface for a shape that reaches `radius` px."""
    background = not np.isfinite(outline.half[0])
    photo_share = surfaces.photo_share * (2 if background else 1)
    shares = np.array([min(photo_share, 0.9), surfaces.poor_share, surfaces.repetitive_share])
    shares = np.append(shares, max(0, 1 - shares.sum())) / max(1, shares.sum())
    chosen = ("photo", "poor", "repetitive", "rich")[rng.choice(4, p=shares)]
    if chosen == "photo" and not bank.photos:
        chosen = "rich"
    zoom = log_uniform(rng, surfaces.zoom)
    if outline.cut_out is not None and rng.random() < 0.85:
        texture, photo = outline.cut_out.texture, True
        x, y = outline.cut_out.centre
        scale = outline.cut_out.half / outline.half[0]
        matrix = np.array([[scale, 0, x], [0, scale, y]])
    else:
        photo = chosen == "photo"
        choices = bank.photos if photo else bank.tiles[chosen]  # type: ignore[index]  # a kind
        texture = choices[rng.integers(len(choices))]
        matrix = _placed(rng, zoom, upright=photo and rng.random() < 0.6)
    rows = np.concatenate([matrix.ravel(), _colours(rng, photo).ravel(), _light(rng, radius)])
    return Material(int(texture), rows)


def _placed(rng: np.random.Generator, zoom: float, *, upright: bool) -> Float64[np.ndarray, "2 3"]:
    angle = rng.normal(0, 0.1) if upright else rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(angle) / zoom, np.sin(angle) / zoom
    mirror = 1 if upright or rng.random() < 0.5 else -1
    x, y = rng.uniform(0, 1024, 2)
    return np.array([[cos, -sin * mirror, x], [sin, cos * mirror, y]])


def _colours(rng: np.random.Generator, photo: bool) -> Float64[np.ndarray, " 12"]:
    """Rows of a 3 x 3 matrix, then three offsets: mild for a photo, any tint for a pattern."""
    wild = 0.25 if photo else 1.0
    saturation = rng.uniform(1 - 0.7 * wild, 1 + 0.35 * wild)
    hue = rng.uniform(-np.pi, np.pi) if not photo and rng.random() < 0.6 else rng.normal(0, 0.05)
    gain = np.exp(rng.normal(0, 0.18 * wild + 0.04, 3) + rng.normal(0, 0.15))
    contrast = rng.uniform(1 - 0.5 * wild, 1 + 0.15 * wild)
    matrix = gain[:, None] * (colour_matrix(saturation, hue) * contrast)
    offset = gain * (1 - contrast) * rng.uniform(60, 170)
    return np.concatenate([matrix.ravel(), offset])


def colour_matrix(saturation: float, hue: float) -> Float64[np.ndarray, "3 3"]:
    """Turns the hue, radians, about the axis of greys and scales the distance from it."""
    axis = np.full(3, 3**-0.5)
    cross = np.array([[0, -1, 1], [1, 0, -1], [-1, 1, 0]]) * 3**-0.5
    grey = np.outer(axis, axis)
    turned = np.cos(hue) * (np.eye(3) - grey) + np.sin(hue) * cross
    made: Float64[np.ndarray, "3 3"] = grey + saturation * turned
    return made


def _light(rng: np.random.Generator, radius: float) -> Float64[np.ndarray, " 4"]:
    angle, change = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.45) / max(radius, 1)
    rim = rng.uniform(0.1, 0.5) if rng.random() < 0.5 else 0.0
    width = max(1.5, rng.uniform(0.04, 0.3) * min(radius, 60))
    return np.array([change * np.cos(angle), change * np.sin(angle), rim, width])
