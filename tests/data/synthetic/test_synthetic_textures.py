"""The texture pyramid against plain reading; tiles without seams, and of their kind."""

import cv2
import numpy as np
import pytest
import torch

from corr.data.statistics import block_entropy
from corr.data.synthetic.pyramid import SOFTER, build, read
from corr.data.synthetic.tiles import draw_texture

KINDS = ("rich", "poor", "repetitive")


def texture(height: int, width: int, seed: int = 0) -> np.ndarray:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(pixels, (0, 0), 1.0)


def at(pyramid, number, x, y, level):
    x, y = (torch.as_tensor(values, dtype=torch.float32).reshape(-1) for values in (x, y))
    footprint = torch.full_like(x, 2.0 ** (level - SOFTER))
    return read(pyramid, torch.full(x.shape, number), x, y, footprint).T


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize("level", [0, 1, 2])
def test_a_level_is_read_bilinearly(mirrored, level):
    first, second = texture(40, 56), texture(64, 32, 1)
    pyramid = build([first, second], [mirrored, mirrored])
    small = second
    for _ in range(level):
        small = cv2.resize(small, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    border = cv2.BORDER_REFLECT if mirrored else cv2.BORDER_WRAP
    wide = cv2.copyMakeBorder(small, 64, 64, 64, 64, border)
    x, y = np.random.default_rng(2).uniform(-30, 60, (2, 300)).astype(np.float32)
    places = [((values + 0.5) / 2**level - 0.5 + 64)[None] for values in (x, y)]
    exact = [values.astype(np.float64) for values in places]
    found = at(pyramid, 1, x, y, level).numpy()
    column, row = (np.floor(values[0]).astype(int) for values in exact)
    right, down = (values[0] - np.floor(values[0]) for values in exact)
    top = wide[row, column] * (1 - right)[:, None] + wide[row, column + 1] * right[:, None]
    bottom = (
        wide[row + 1, column] * (1 - right)[:, None] + wide[row + 1, column + 1] * right[:, None]
    )
    expected = top * (1 - down)[:, None] + bottom * down[:, None]
    assert np.abs(found - expected).max() < 0.05


def test_far_away_is_the_mean():
    pixels = texture(64, 64)
    found = at(build([pixels], [False]), 0, [3.0, 40.0], [50.0, 7.0], 6)
    assert torch.allclose(found, torch.tensor(pixels.reshape(-1, 3).mean(0)).float(), atol=2)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(8))
def test_tiles_have_no_seam(kind, seed):
    """The step across the border is not larger than those inside."""
    tile = draw_texture(np.random.default_rng(seed), kind).pixels.astype(float)
    for axis in (0, 1):
        inside = np.abs(np.diff(tile, axis=axis)).mean((1 - axis, 2))
        across = np.abs(np.take(tile, 0, axis) - np.take(tile, -1, axis)).mean()
        assert across <= inside.max() + 3


def test_poor_ones_are_poorer():
    def entropy(kind: str) -> float:
        tiles = [draw_texture(np.random.default_rng(seed), kind).pixels for seed in range(6)]
        return float(np.mean([block_entropy(tile.astype(float).mean(2)) for tile in tiles]))

    assert entropy("poor") < 1.5 < entropy("rich")


def test_repetitive_ones_repeat():
    """Somewhere away from itself, each looks much like itself."""
    best = []
    for seed in range(8):
        grey = draw_texture(np.random.default_rng(seed), "repetitive").pixels.astype(float).mean(2)
        grey -= grey.mean()
        power = np.abs(np.fft.fft2(grey)) ** 2
        likeness = np.fft.ifft2(power).real / max(power.mean(), 1e-9)
        likeness[:6, :6] = likeness[-5:, :6] = likeness[:6, -5:] = likeness[-5:, -5:] = 0
        best.append(likeness.max())
    assert np.median(best) > 0.7
