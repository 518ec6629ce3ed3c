"""Signed distances, held against OpenCV's and against points found by search."""

import cv2
import numpy as np
import pytest
import torch

from corr.data.synthetic.bank import Photographs, build_bank
from corr.data.synthetic.outlines import draw_outline
from corr.data.synthetic.shapes import (
    BAR,
    BLOB,
    DRAWN,
    ELLIPSE,
    MAX_CORNERS,
    POLYGON,
    SHAPED,
    signed_distance,
)

RADIUS = 40.0


@pytest.fixture(scope="module")
def bank():
    photo = np.random.default_rng(0).integers(0, 255, (80, 90, 3), np.uint8)
    return build_bank(Photographs((cv2.GaussianBlur(photo, (0, 0), 9),), "", 0), 8)


def drawn(kind: int, bank, seed: int):
    """A random outline of a kind, and its distances on a grid of whole px."""
    rng = np.random.default_rng(seed)
    outline = next(
        found
        for found in (draw_outline(rng, RADIUS, bank) for _ in range(300))
        if found.kind % SHAPED == kind
    )
    places = torch.arange(-120.0, 121.0)
    v, u = (part.reshape(-1) for part in torch.meshgrid(places, places, indexing="ij"))
    table = torch.from_numpy(outline.rows).float()[:, None]
    return (
        outline,
        signed_distance(outline.kind, table, u, v, bank.silhouettes).reshape(241, 241),
        u,
        v,
    )


@pytest.mark.parametrize("seed", range(6))
def test_polygon_is_opencvs(bank, seed):
    outline, distance, u, v = drawn(POLYGON, bank, seed)
    corners = outline.rows[2:].reshape(2, MAX_CORNERS).T.astype(np.float32)
    expected = np.array(
        [
            -cv2.pointPolygonTest(corners, (float(x), float(y)), True)
            for x, y in zip(u, v, strict=True)
        ]
    ).reshape(241, 241)
    expected -= outline.rows[1]
    expected = np.maximum(expected, -expected - outline.rows[0])
    assert np.abs(distance.numpy() - expected).max() < 1e-3


@pytest.mark.parametrize("kind", [ELLIPSE, BLOB, BAR, DRAWN])
@pytest.mark.parametrize("seed", range(4))
def test_near_the_edge_it_is_the_distance(bank, kind, seed):
    """The nearest point of other sign is as far away as the distance says."""
    distance = drawn(kind, bank, seed)[1]
    inside = (distance < 0).numpy().astype(np.uint8)
    assert 20 < inside.sum() < 0.6 * inside.size
    true = cv2.distanceTransform(1 - inside, cv2.DIST_L2, cv2.DIST_MASK_PRECISE) - 0.5
    near = (true > 0.4) & (true < 2.5)
    error = np.abs(distance.numpy() - true)[near]
    assert np.median(error) < 0.45
    assert np.quantile(error, 0.9) < 1.3


@pytest.mark.parametrize("kind", [ELLIPSE, POLYGON, BLOB, BAR, DRAWN])
@pytest.mark.parametrize("seed", range(8))
def test_nothing_reaches_beyond_its_half(bank, kind, seed):
    outline, distance, u, v = drawn(kind, bank, seed)
    beyond = (u.abs() > outline.half[0] + 0.5) | (v.abs() > outline.half[1] + 0.5)
    assert (distance.reshape(-1)[beyond] > 0).all()


def test_a_hole_is_empty(bank):
    rng = np.random.default_rng(1)
    for _ in range(300):
        outline = draw_outline(rng, RADIUS, bank)
        if outline.kind == ELLIPSE + SHAPED:
            table = torch.from_numpy(outline.rows).float()[:, None]
            zero = torch.zeros(1)
            assert signed_distance(outline.kind, table, zero + 0.01, zero, bank.silhouettes) > 0
            return
    pytest.fail("no ring was drawn")
