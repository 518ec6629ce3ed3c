"""Procedural textures: colour tiles that repeat without a seam."""

from __future__ import annotations

import colorsys
from collections.abc import Callable
from typing import Literal, NamedTuple

import cv2
import numpy as np
from jaxtyping import Float32, UInt8

from corr.data.synthetic.fields import SIDE, Field, cells, coordinates, noise, relief, smooth, step
from corr.data.synthetic.lettering import random_words, written

Kind = Literal["rich", "poor", "repetitive"]
Colours = Float32[np.ndarray, "N 3"]
Tile = Float32[np.ndarray, "256 256 3"]

SOFTNESS = 0.9
"""Sigma of the blur that leaves no detail finer than a pixel shows, px."""


class Texture(NamedTuple):
    """A procedural texture and what it is good for."""

    pixels: UInt8[np.ndarray, "256 256 3"]
    kind: Kind


def palette(rng: np.random.Generator, count: int) -> Colours:
    """Colours that go together: a few hues, mostly muted, from dark to bright."""
    hue = rng.random()
    spread = rng.choice([0.03, 0.1, 0.5])
    most = rng.choice([0.25, 0.5, 0.9], p=[0.45, 0.4, 0.15])
    low = rng.uniform(0.05, 0.35)
    values = np.linspace(low, rng.uniform(max(0.55, low + 0.3), 1.0), count)
    colours = [
        colorsys.hsv_to_rgb((hue + rng.normal(0, spread)) % 1, rng.uniform(0, most), value)
        for value in values
    ]
    return np.array(colours, np.float32)


def draw_texture(rng: np.random.Generator, kind: Kind) -> Texture:
    """A random texture of a kind."""
    makers = _MAKERS[kind]
    tile = makers[int(rng.integers(len(makers)))](rng)
    if kind != "poor" and rng.random() < 0.7:  # dirt, and grain of the material
        tile = tile * (1 + rng.uniform(0.02, 0.1) * noise(rng, rng.uniform(0.2, 1.2)))[..., None]
    tile = smooth(np.clip(tile, 0, 1).astype(np.float32), SOFTNESS)
    return Texture(np.rint(tile * 255).clip(0, 255).astype(np.uint8), kind)


def _ramp(values: Field, colours: Colours) -> Tile:
    """Colours of values in [0, 1], which run from the first colour to the last."""
    places = np.linspace(0, 1, len(colours))
    made = [np.interp(values, places, colours[:, channel]) for channel in range(3)]
    return np.stack(made, -1).astype(np.float32)


def _between(first: np.ndarray, second: np.ndarray, weight: Field) -> Tile:
    made: Tile = (first + (second - first) * weight[..., None]).astype(np.float32)
    return made


def _lit(tile: Tile, light: Field) -> Tile:
    made: Tile = (tile * light[..., None]).astype(np.float32)
    return made


def _clouds(rng: np.random.Generator) -> Tile:
    field = noise(rng, rng.uniform(0.8, 1.5))
    if rng.random() < 0.4:  # ridges
        field = 2 - 3 * np.abs(field)
    tile = _ramp(step(field, 4.0), palette(rng, int(rng.integers(2, 6))))
    return _lit(tile, relief(field, rng, rng.uniform(0, 1.5)))


def _camouflage(rng: np.random.Generator) -> Tile:
    colours = palette(rng, int(rng.integers(3, 6)))
    tile = np.broadcast_to(colours[0], (SIDE, SIDE, 3))
    for colour in colours[1:]:
        field = noise(rng, rng.uniform(1.1, 1.7), lowest=rng.uniform(2, 8))
        tile = _between(tile, colour, step(field - rng.uniform(-0.2, 0.9), 0.06))
    return np.asarray(tile)


def _grain(rng: np.random.Generator) -> Tile:
    field = noise(rng, rng.uniform(0.0, 0.7), lowest=rng.uniform(4, 60))
    return _lit(_ramp(step(field, 5.0), palette(rng, 3)), relief(field, rng, 0.12))


def _wood(rng: np.random.Generator) -> Tile:
    x, y = coordinates()
    rings = int(rng.integers(3, 12)) * (x if rng.random() < 0.5 else y)
    field = rings + rng.uniform(0.1, 0.6) * noise(rng, 1.8)
    bands = np.abs(2 * (field % 1) - 1).astype(np.float32)
    fibre = noise(rng, 0.6, stretch=rng.uniform(6, 25), angle=rng.choice([0, np.pi / 2]))
    return _ramp(np.clip(bands + 0.12 * fibre, 0, 1), palette(rng, 4))


def _stones(rng: np.random.Generator) -> Tile:
    count = int(np.exp(rng.uniform(np.log(12), np.log(500))))
    index, reach, border = cells(rng, count)
    size = SIDE / count**0.5
    shades = palette(rng, 8)[rng.integers(8, size=count)] * rng.uniform(0.8, 1.2, (count, 1))
    tile = shades[index].astype(np.float32)
    if rng.random() < 0.7:
        width = rng.uniform(0.03, 0.12) * size
        tile = _between(palette(rng, 1)[0] * 0.6, tile, step(border - width, 1.5))
    height = -np.clip(reach / size, 0, 1) if rng.random() < 0.5 else np.minimum(border / size, 0.2)
    return _lit(tile, relief(height.astype(np.float32), rng, rng.uniform(0, 4)))


def _leaves(rng: np.random.Generator) -> Tile:
    """Overlapping discs and ellipses of all sizes, as natural images are made of things.

    Source: Lee, Mumford and Huang 2001, "Occlusion models for natural images", section 4.
    """
    smallest, largest = rng.uniform(3, 6), rng.uniform(40, 90)
    colours = palette(rng, 12)
    tile = np.empty((SIDE, SIDE, 3), np.float32)
    tile[:] = colours[0]
    round_ones = rng.random() < 0.5
    for _ in range(int(rng.integers(250, 700))):
        share = rng.random()  # radii fall off with the third power
        radius = (share / smallest**2 + (1 - share) / largest**2) ** -0.5
        axes = (radius, radius * (1 if round_ones else rng.uniform(0.25, 1)))
        colour = (colours[rng.integers(12)] * rng.uniform(0.7, 1.2)).clip(0, 1)
        _stamp(tile, rng.uniform(0, SIDE, 2), axes, rng.uniform(0, 180), colour)
    return tile


def _stamp(
    tile: Tile,
    centre: np.ndarray,
    axes: tuple[float, float],
    angle: float,
    colour: np.ndarray,
) -> None:
    """Draw an ellipse, and its parts beyond a border at the other side."""
    for dx in (-SIDE, 0, SIDE):
        for dy in (-SIDE, 0, SIDE):
            x, y = centre[0] + dx, centre[1] + dy
            if -axes[0] < x < SIDE + axes[0] and -axes[0] < y < SIDE + axes[0]:
                box = ((float(x), float(y)), (2 * axes[0], 2 * axes[1]), float(angle))
                cv2.ellipse(tile, box, colour.tolist(), -1, cv2.LINE_AA)


def _fur(rng: np.random.Generator) -> Tile:
    colours = palette(rng, 6)
    tile = np.empty((SIDE, SIDE, 3), np.float32)
    tile[:] = colours[0]
    turn = 0.9 * noise(rng, 2.0, lowest=2.0) + rng.uniform(0, 2 * np.pi)
    length = rng.uniform(8, 30)
    for x, y in rng.uniform(0, SIDE, (int(rng.integers(1200, 2600)), 2)):
        angle = turn[int(y), int(x)] + rng.normal(0, 0.15)
        tip = (x + length * np.cos(angle), y + length * np.sin(angle))
        colour = (colours[rng.integers(6)] * rng.uniform(0.7, 1.25)).clip(0, 1).tolist()
        for dx in (-SIDE, 0, SIDE):
            for dy in (-SIDE, 0, SIDE):
                ends = ((round(x + dx), round(y + dy)), (round(tip[0] + dx), round(tip[1] + dy)))
                if all(-40 < value < SIDE + 40 for end in ends for value in end):
                    cv2.line(tile, *ends, colour, 1, cv2.LINE_AA)
    return tile


def _page(rng: np.random.Generator) -> Tile:
    paper, ink = palette(rng, 2)[::-1] if rng.random() < 0.7 else palette(rng, 2)
    tile = np.empty((SIDE, SIDE, 3), np.float32)
    tile[:] = paper
    line = int(rng.integers(10, 34))
    for top in range(2, SIDE - line, round(line * rng.uniform(1.15, 1.6))):
        if rng.random() < 0.9:
            words = written(random_words(rng, 60), line)[:line, : SIDE - 8]
            left = 4 if rng.random() < 0.85 else 24
            part = tile[top : top + words.shape[0], left : left + words.shape[1]]
            cover = words[: part.shape[0], : part.shape[1], None]
            part += (ink - part) * cover
    return tile


def _gradient(rng: np.random.Generator) -> Tile:
    first, second = palette(rng, 2)
    field = noise(rng, rng.uniform(2.2, 3.0))
    second = first + rng.uniform(0.05, 0.5) * (second - first)
    grain = 1 + rng.uniform(0, 0.012) * noise(rng, 0.3)
    return _lit(_between(first, second, step(field, 4.0)), grain)


def _stripes(rng: np.random.Generator) -> Tile:
    x, y = coordinates()
    count = int(rng.integers(2, 28))
    along, across = (x, y) if rng.random() < 0.5 else (y, x)
    place = count * along + int(rng.integers(-3, 4)) * across
    if rng.random() < 0.5:
        place = place + rng.uniform(0, 0.15) * np.sin(2 * np.pi * int(rng.integers(1, 5)) * across)
    width = rng.uniform(0.15, 0.6)
    off = np.abs((place % 1) - 0.5).astype(np.float32)
    colours = palette(rng, 3)
    tile = _between(colours[0], colours[2], step(width / 2 - off, 2.0 * count / SIDE))
    if rng.random() < 0.4:
        tile = _between(tile, colours[1], step(0.06 - np.abs(off - 0.3), 2.0 * count / SIDE))
    return tile


def _checkers(rng: np.random.Generator) -> Tile:
    x, y = coordinates()
    columns, rows = (2 * rng.integers(1, 14, 2)).tolist()
    edge = 2.5 * max(columns, rows) / SIDE
    waves = np.sin(np.pi * columns * x) * np.sin(np.pi * rows * y)
    dark, bright = palette(rng, 2)
    tile = _between(dark, bright, step(waves, edge * np.pi))
    return _lit(tile, relief(step(waves, 0.5), rng, rng.uniform(0, 1)))


def _bricks(rng: np.random.Generator) -> Tile:
    x, y = coordinates()
    rows = 2 * int(rng.integers(2, 11))
    columns = max(1, round(rows / rng.uniform(1.5, 4)))
    row = np.floor(y * rows)
    shift = 0.5 * (row % 2) if rng.random() < 0.75 else 0
    column = np.floor(x * columns + shift) % columns
    in_x, in_y = (x * columns + shift) % 1, (y * rows) % 1
    gap_x = np.minimum(in_x, 1 - in_x) * SIDE / columns
    gap_y = np.minimum(in_y, 1 - in_y) * SIDE / rows
    border = np.minimum(gap_x, gap_y).astype(np.float32)
    joint = rng.uniform(0.6, 0.1 * SIDE / rows + 0.7)
    number = (row * columns + column).astype(np.int64)
    shades = palette(rng, 4)[rng.integers(4, size=rows * columns)]
    alike = rng.uniform(0, 0.25)
    shades = shades.mean(0) + alike * (shades - shades.mean(0)) * 4
    shades = shades * rng.uniform(1 - alike, 1 + alike, (len(shades), 1))
    faces = shades[number].astype(np.float32) * (1 + 0.06 * noise(rng, 0.8))[..., None]
    tile = _between(palette(rng, 3)[rng.integers(3)], faces, step(border - joint, 1.6))
    height = np.minimum(border, 3 * joint)
    return _lit(tile, relief(height, rng, rng.uniform(0, 0.2)))


def _wallpaper(rng: np.random.Generator) -> Tile:
    """A motif that repeats."""
    times = int(rng.choice([4, 8, 16]))
    makers: list[Callable[[np.random.Generator], Tile]] = [_camouflage, _leaves, _stones, _page]
    motif = makers[int(rng.integers(4))](rng)
    side = SIDE // times
    small = cv2.resize(motif, (side, side), interpolation=cv2.INTER_AREA)
    return np.tile(small, (times, times, 1))


def _weave(rng: np.random.Generator) -> Tile:
    x, y = coordinates()
    count = int(rng.integers(8, 40))
    over_x = np.sin(2 * np.pi * count * x) * np.sign(np.sin(np.pi * count * y) + 1e-6)
    threads = np.abs(np.sin(np.pi * count * y)) + 0.4 * over_x
    return _ramp(step((threads - 0.5).astype(np.float32), 2.0), palette(rng, 3))


_MAKERS: dict[Kind, list[Callable[[np.random.Generator], Tile]]] = {
    "rich": [_clouds, _camouflage, _grain, _wood, _stones, _leaves, _leaves, _fur, _page],
    "poor": [_gradient],
    "repetitive": [_stripes, _checkers, _bricks, _bricks, _wallpaper, _wallpaper, _weave],
}
