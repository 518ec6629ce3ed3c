"""Descriptors that are easy to tell apart: unit vectors of a plane, and random ones."""

import numpy as np


def at(*angles_deg: float) -> np.ndarray:
    """Unit vectors of a plane, whose similarity is the cosine of the angle between them."""
    angles = np.deg2rad(np.array(angles_deg))
    return np.stack((np.cos(angles), np.sin(angles)), 1).astype(np.float32)


def unit_rows(count: int, seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((count, 6))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
