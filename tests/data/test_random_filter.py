"""Random filters: textures change, places do not."""

import cv2
import numpy as np
import pytest
from skimage import data

from corr.data.random_filter import RandomFilter
from corr.errors import OptionError

PHOTO = np.ascontiguousarray(data.astronaut()[:256, 100:356])


def edges(picture: np.ndarray) -> np.ndarray:
    grey = cv2.GaussianBlur(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 3)
    return np.hypot(cv2.Sobel(grey, -1, 1, 0), cv2.Sobel(grey, -1, 0, 1))


def test_edges_stay_and_tones_change():
    change = RandomFilter(probability=1.0)
    moved = np.roll(PHOTO, 12, axis=1)
    stayed, inverted = [], 0
    for seed in range(40):
        found = change(PHOTO, np.random.default_rng(seed))
        assert found.shape == PHOTO.shape and found.dtype == np.uint8
        here = np.corrcoef(edges(found).ravel(), edges(PHOTO).ravel())[0, 1]
        there = np.corrcoef(edges(found).ravel(), edges(moved).ravel())[0, 1]
        stayed.append(here > there)
        inverted += np.corrcoef(found.ravel(), PHOTO.ravel())[0, 1] < 0
    assert np.mean(stayed) > 0.9
    assert inverted > 0  # what was light is dark


def test_probability_and_seed():
    rng = np.random.default_rng(0)
    assert RandomFilter(probability=0.0)(PHOTO, rng) is PHOTO
    first, second = (RandomFilter(1.0)(PHOTO, np.random.default_rng(3)) for _ in range(2))
    assert np.array_equal(first, second)
    kept = RandomFilter(1.0, min_kept=1.0)(PHOTO, np.random.default_rng(3))
    assert np.abs(kept.astype(int) - PHOTO).max() <= 1
    flat = RandomFilter(1.0)(np.full((8, 9, 3), 7, np.uint8), np.random.default_rng(1))
    assert np.abs(flat.astype(int) - 7).max() <= 1
    with pytest.raises(OptionError, match=r"min_kept is 2.0; use a value in \[0, 1\]"):
        RandomFilter(min_kept=2.0)
