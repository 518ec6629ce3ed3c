"""Random states of light and camera, as rows of numbers."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from jaxtyping import Float32

from corr.data.synthetic.bank import NOISE_LENGTH
from corr.data.synthetic.config import AppearanceRanges
from corr.data.synthetic.materials import colour_matrix
from corr.data.synthetic.ranges import Range, log_uniform, uniform

NUM_SPOTS = 3
"""Shadows and highlights a picture has at most, each."""

SPOT_ROWS = 6
"""Centre and half axes as shares of the width, angle in radians, strength."""


class Light(NamedTuple):
    """The state in which one picture is taken; each part is a slice of a row of numbers."""

    colour: slice = slice(0, 9)
    """A matrix of linear gains."""
    gamma: int = 9
    vignetting: int = 10
    fog: int = 11
    fog_colour: slice = slice(12, 15)
    focus: int = 15
    """Nearness of what is sharp."""
    defocus: int = 16
    blur: int = 17
    motion_length: int = 18
    motion_angle: int = 19
    noise: int = 20
    noise_start: int = 21
    jpeg_quality: int = 22
    sharpening: int = 23
    shadows: slice = slice(24, 24 + NUM_SPOTS * SPOT_ROWS)
    highlights: slice = slice(24 + NUM_SPOTS * SPOT_ROWS, 24 + 2 * NUM_SPOTS * SPOT_ROWS)


LIGHT = Light()
NUM_ROWS = LIGHT.highlights.stop

LOSSLESS = 100.0
"""Quality of what is not compressed."""


def draw_light(
    rng: np.random.Generator, ranges: AppearanceRanges, size: tuple[int, int]
) -> Float32[np.ndarray, " _"]:
    """A random state within the ranges; what does not happen leaves a picture as it is."""

    def happens() -> bool:
        return bool(rng.random() < ranges.probability)

    def drawn(given: Range, otherwise: float = 0.0) -> float:
        return uniform(rng, given) if happens() else otherwise

    rows = np.zeros(NUM_ROWS)
    exposure = 2 ** drawn(ranges.exposure)
    saturation, hue = drawn(ranges.saturation, 1.0), np.deg2rad(drawn(ranges.hue_deg))
    balance = np.ones(3)
    if happens():
        balance[[0, 2]] += rng.uniform(*ranges.white_balance, 2)
    rows[LIGHT.colour] = (exposure * balance[:, None] * colour_matrix(saturation, hue)).ravel()
    rows[LIGHT.gamma] = log_uniform(rng, ranges.gamma) if happens() else 1.0
    rows[LIGHT.vignetting] = drawn(ranges.vignetting)
    rows[LIGHT.fog] = drawn(ranges.fog) if rng.random() < 0.5 else 0.0
    rows[LIGHT.fog_colour] = rng.uniform(0.5, 0.95) + rng.uniform(-0.05, 0.05, 3)
    rows[LIGHT.focus] = rng.random()
    rows[LIGHT.defocus] = drawn(ranges.defocus) if rng.random() < 0.6 else 0.0
    rows[LIGHT.blur] = drawn(ranges.blur)
    rows[LIGHT.motion_length] = drawn(ranges.motion_blur) if rng.random() < 0.5 else 0.0
    rows[LIGHT.motion_angle] = rng.uniform(0, np.pi)
    rows[LIGHT.sharpening] = drawn(ranges.sharpening)
    rows[LIGHT.noise] = log_uniform(rng, _above_zero(ranges.noise)) if happens() else 0.0
    rows[LIGHT.noise_start] = rng.integers(NOISE_LENGTH)
    rows[LIGHT.jpeg_quality] = drawn(ranges.jpeg_quality, LOSSLESS)
    for part, given in ((LIGHT.shadows, ranges.shadow), (LIGHT.highlights, ranges.highlight)):
        reach = (0.15, 0.7) if part == LIGHT.shadows else (0.03, 0.25)
        rows[part] = _spots(rng, given, reach, size) if happens() else 0.0
    return rows.astype(np.float32)


def _spots(
    rng: np.random.Generator, strength: Range, reach: Range, size: tuple[int, int]
) -> np.ndarray:
    rows = np.zeros((NUM_SPOTS, SPOT_ROWS))
    for row in rows[: rng.integers(1, NUM_SPOTS + 1)]:
        axes = log_uniform(rng, reach), log_uniform(rng, reach)
        place = rng.uniform(0, 1, 2) * (1, size[0] / size[1])
        row[:] = (*place, *axes, rng.uniform(0, np.pi), uniform(rng, strength))
    return rows.ravel()


def _above_zero(given: Range) -> Range:
    return max(given[0], 1e-4), max(given[1], 1e-4)
