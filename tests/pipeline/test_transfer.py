"""Points carried over: exact where the answer is known, in the pixels of the images as given."""

from functools import partial

import numpy as np
import pytest
import skimage.data
import torch

import corr
from corr.errors import ModelError, OptionError, ShapeError
from corr.models import HardNet, UniversalCorrespondenceNetwork
from corr.models.saved import save_network
from corr.pipeline.readout import read_out
from corr.pipeline.transfer import transfer as transfer_points

transfer = partial(transfer_points, model="dense-sift-nn")

PHOTO = skimage.data.chelsea()[40:240, 60:340]
POINTS = np.array([[110, 80], [140.5, 90], [170, 110], [120, 105]], np.float32)


def errors(found, truth) -> np.ndarray:
    return np.linalg.norm(found - truth, axis=1)


@pytest.mark.parametrize("readout", ["nearest", "soft"])
def test_a_shift_is_found(readout):
    shifted = skimage.data.chelsea()[50:250, 74:354]
    found = transfer(PHOTO, shifted, POINTS, readout=readout)
    assert found.dtype == np.float32
    limit = 1.0 if readout == "nearest" else 6.0
    assert errors(found, POINTS - (14, 10)).max() < limit


def test_places_between_cells_are_found():
    """The grid has steps of 3.5 px here; the parabola comes much closer."""
    shifted = skimage.data.chelsea()[41:241, 62:342]
    found = transfer(PHOTO, shifted, POINTS, readout="nearest")
    assert errors(found, POINTS - (2, 1)).mean() < 0.8


def test_results_are_in_pixels_of_the_image_as_given():
    doubled = PHOTO.repeat(2, axis=0).repeat(2, axis=1)
    found = transfer(PHOTO, doubled, POINTS, readout="nearest")
    assert errors(found, (POINTS + 0.5) * 2 - 0.5).max() < 2.0


def test_a_mirrored_image_needs_flips():
    mirrored = PHOTO[:, ::-1].copy()
    truth = np.stack((PHOTO.shape[1] - 1 - POINTS[:, 0], POINTS[:, 1]), axis=1)
    assert errors(transfer(PHOTO, mirrored, POINTS, readout="nearest"), truth).mean() > 10
    found = transfer(PHOTO, mirrored, POINTS, readout="nearest", flips="auto")
    assert errors(found, truth).max() < 1.0
    upright = transfer(PHOTO, PHOTO, POINTS, flips="auto")
    assert np.array_equal(upright, transfer(PHOTO, PHOTO, POINTS))


def test_identity_resizes_places():
    found = transfer(PHOTO, PHOTO[::2, ::4], [[0, 0], [10, 20]], model="identity")
    assert np.allclose(found, [[-0.375, -0.25], [2.125, 9.75]])


@pytest.mark.parametrize("keypoints", [False, True])
def test_a_dense_network(tmp_path, keypoints):
    torch.manual_seed(0)
    network = UniversalCorrespondenceNetwork(keypoints=keypoints)
    found = corr.transfer(PHOTO, PHOTO, POINTS, model=network, readout="nearest", size=0)
    assert errors(found, POINTS).max() < 2.0
    save_network(network, tmp_path / "net")
    again = transfer(PHOTO, PHOTO, POINTS, model=tmp_path / "net", readout="nearest", size=0)
    assert np.array_equal(found, again)


def test_no_points_are_no_error():
    assert transfer(PHOTO, PHOTO, np.zeros((0, 2))).shape == (0, 2)


@pytest.mark.parametrize(
    ("points", "error", "message"),
    [
        (
            [[5, 5], [300, 2]],
            OptionError,
            r"point 1 at \(300, 2\) lies outside image 0, .* 280 x 200",
        ),
        ([[5, -1]], OptionError, "point 0 at .* lies outside"),
        ([[5, np.nan]], OptionError, "point 0 at .* lies outside"),
        ([[5, 5, 5]], ShapeError, r"points0 has shape \(1, 3\)"),
        ([5, 5], ShapeError, r"points0 has shape \(2,\)"),
        ([["a", "b"]], ShapeError, "type <U1; use numbers"),
    ],
)
def test_wrong_points(points, error, message):
    with pytest.raises(error, match=message):
        transfer(PHOTO, PHOTO, points)


def test_wrong_options():
    with pytest.raises(OptionError, match="size is 3; use 16 or more"):
        transfer(PHOTO, PHOTO, POINTS, size=3)
    with pytest.raises(OptionError, match="flips is 'all'; use auto"):
        transfer(PHOTO, PHOTO, POINTS, flips="all")
    with pytest.raises(ModelError, match=r"HardNet describes no whole image; .* dense-sift-nn"):
        transfer(PHOTO, PHOTO, POINTS, model=HardNet())
    with pytest.raises(ModelError, match="'sift' does match and extract, not transfer"):
        transfer(PHOTO, PHOTO, POINTS, model="sift")


def ring(height: int, width: int) -> torch.Tensor:
    """Cells whose similarity to the cell at column c falls smoothly with the distance."""
    y, x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    angles = 0.2 * torch.stack((x, y), -1).float()
    return torch.cat((angles.cos(), angles.sin()), -1) / 2**0.5


def test_readout_between_cells_by_hand():
    cells = ring(7, 9)
    angles = 0.2 * torch.tensor([[3.3, 2.0], [0.0, 6.0]])
    queries = torch.cat((angles.cos(), angles.sin()), -1) / 2**0.5
    best = (queries @ cells.flatten(0, 1).T).argmax(1)
    found = read_out(queries, cells, best, "nearest", 4)
    assert torch.allclose(found, torch.tensor([[3.3, 2.0], [0.0, 6.0]]), atol=0.02)
    soft = read_out(queries[:1], cells, best[:1], "soft", 8)
    weights = ((queries[0] @ cells.flatten(0, 1).T) / 0.05).view(7, 9)
    # The seven cells around column 3, row 2: three to each side, as far as the map goes.
    part = weights[0:6, 0:7].flatten().softmax(0).view(6, 7)
    by_hand = [(part.sum(0) @ torch.arange(7.0)), (part.sum(1) @ torch.arange(6.0))]
    assert torch.allclose(soft[0], torch.stack(by_hand), atol=1e-4)


def test_surroundings_support_a_point():
    """Where patches repeat, each by itself is anywhere among its likes; with others it is not."""
    rng = np.random.default_rng(0)
    tile = rng.integers(0, 255, (40, 40, 3), np.uint8)
    image0 = np.tile(tile, (4, 6, 1))
    image0[60:100, 100:140] = rng.integers(0, 255, (40, 40, 3), np.uint8)  # one that is unlike
    image1 = np.roll(image0, (6, 10), (0, 1))
    points = np.array([[70, 50], [90, 120], [150, 110], [160, 60]], np.float32)
    moved = points + np.array([10, 6])
    alone = transfer(image0, image1, points, model="dense-sift", support=0.0, size=0)
    together = transfer(image0, image1, points, model="dense-sift", size=0)
    assert errors(alone, moved).max() > 20
    assert errors(together, moved).max() < 12


def test_support_costs_no_accuracy():
    shifted = skimage.data.chelsea()[50:250, 74:354]
    assert errors(transfer(PHOTO, shifted, POINTS, model="dense-sift"), POINTS - (14, 10)).max() < 2


def test_refuses_wrong_support():
    with pytest.raises(OptionError, match=r"support is 2\.0; use a value in \[0, 1\]"):
        transfer(PHOTO, PHOTO, POINTS, support=2.0)
    with pytest.raises(OptionError, match=r"prior is 0\.0; use a value above 0"):
        transfer(PHOTO, PHOTO, POINTS, prior=0.0)
