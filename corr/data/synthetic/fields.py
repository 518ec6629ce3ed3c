"""Periodic fields of numbers that procedural textures are made of."""

from __future__ import annotations

import cv2
import numpy as np
from jaxtyping import Float32, Int64
from scipy.spatial import cKDTree

SIDE = 256
"""Of a procedural texture, px; it repeats beyond."""

Field = Float32[np.ndarray, "256 256"]


def coordinates() -> tuple[Field, Field]:
    """Both coordinates of each pixel, as shares of the side."""
    y, x = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE
    return x, y


def noise(
    rng: np.random.Generator,
    slope: float,
    *,
    stretch: float = 1.0,
    angle: float = 0.0,
    lowest: float = 1.0,
) -> Field:
    """Noise of mean 0 and deviation 1 whose amplitude falls with the frequency.

    Args:
        rng: random numbers.
        slope: amplitude is `frequency ** -slope`; natural images have about 1.
        stretch: how many times longer its grains are in one direction than across.
        angle: of that direction, radians.
        lowest: frequency, in waves a side, below which the amplitude grows no further.
    """
    frequency = np.fft.fftfreq(SIDE, 1 / SIDE).astype(np.float32)
    fx, fy = np.meshgrid(frequency, frequency)
    along = (fx * np.cos(angle) + fy * np.sin(angle)) * stretch
    across = fy * np.cos(angle) - fx * np.sin(angle)
    amplitude = np.maximum(np.hypot(along, across), lowest) ** -slope
    amplitude[0, 0] = 0
    spectrum = np.fft.fft2(rng.standard_normal((SIDE, SIDE)).astype(np.float32)) * amplitude
    field = np.fft.ifft2(spectrum).real
    made: Field = (field / max(field.std(), 1e-9)).astype(np.float32)
    return made


def cells(
    rng: np.random.Generator, count: int, *, regular: float = 0.0
) -> tuple[Int64[np.ndarray, "256 256"], Field, Field]:
    """Voronoi cells: number of the nearest seed, distance to it, and to the border, px.

    Args:
        rng: random numbers.
        count: of the seeds.
        regular: 0 for seeds anywhere, 1 for seeds on a square grid.
    """
    per_side = max(1, round(count**0.5))
    if regular > 0:
        places = (np.arange(per_side) + 0.5) / per_side
        grid = np.stack(np.meshgrid(places, places), -1).reshape(-1, 2)
        seeds = grid + rng.uniform(-0.5, 0.5, grid.shape) * (1 - regular) / per_side
    else:
        seeds = rng.random((count, 2))
    seeds = seeds * SIDE % SIDE
    tree = cKDTree(seeds, boxsize=SIDE)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    distance, index = tree.query(np.stack((x, y), -1), k=2 if len(seeds) > 1 else [1, 1])
    nearest, second = distance[..., 0], distance[..., 1]
    return (
        index[..., 0].astype(np.int64),
        nearest.astype(np.float32),
        (0.5 * (second - nearest)).astype(np.float32),
    )


def step(values: Field, width: float) -> Field:
    """0 below 0 and 1 above, with a soft edge of that width."""
    made: Field = np.clip(values / max(width, 1e-6) + 0.5, 0, 1).astype(np.float32)
    return made


def relief(height: Field, rng: np.random.Generator, strength: float) -> Field:
    """Light on a surface of that height, 1 where it is level."""
    angle = rng.uniform(0, 2 * np.pi)
    dx = np.roll(height, -1, 1) - np.roll(height, 1, 1)
    dy = np.roll(height, -1, 0) - np.roll(height, 1, 0)
    slope = dx * np.cos(angle) + dy * np.sin(angle)
    made: Field = np.clip(1 + strength * slope, 0.45, 1.6).astype(np.float32)
    return made


def smooth(image: np.ndarray, sigma: float) -> np.ndarray:
    """A periodic image, blurred."""
    margin = int(np.ceil(4 * sigma))
    wide = cv2.copyMakeBorder(image, margin, margin, margin, margin, cv2.BORDER_WRAP)
    blurred = cv2.GaussianBlur(wide, (0, 0), sigma)[margin:-margin, margin:-margin]
    return np.ascontiguousarray(blurred)
