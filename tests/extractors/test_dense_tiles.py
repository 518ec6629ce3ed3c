"""A large image in tiles: as in one pass over the whole, in less memory."""

import os
import subprocess
import sys

import numpy as np
import pytest
import skimage.data
import torch

import corr
from corr.extractors import dense_tiles
from corr.extractors.dense_tiles import describe_tiles, read_points
from corr.formats import to_tensor
from corr.geometry import pixel_grid
from corr.models import UniversalCorrespondenceNetwork


def describe_cells(pixels, network):
    """The descriptor of every cell."""
    rows, columns = (-(-side // network.stride) for side in pixels.shape[2:])
    centres = (pixel_grid(rows, columns).reshape(-1, 2) + 0.5) * network.stride - 0.5
    return read_points(pixels, network, centres).view(rows, columns, -1)


def network(trunk, **settings):
    torch.manual_seed(0)
    built = UniversalCorrespondenceNetwork(trunk, **settings).train()
    with torch.no_grad():
        for _ in range(3):
            built(torch.rand(2, 3, 64, 64))
    return built.eval()


@pytest.fixture(autouse=True)
def exact(monkeypatch):
    """In float32: bfloat16 rounds the same sums differently where a tile has another size."""
    monkeypatch.setattr(dense_tiles, "multiplies_bfloat16", lambda device: False)


@pytest.fixture(scope="module", params=["light", "resunet"])
def case(request):
    """A network, a textured image of odd sides, and so small a tile that it takes several."""
    photo = skimage.data.coffee()
    if request.param == "light":
        return network("light"), np.hstack([photo, photo[:, ::-1]])[:397, :1003], (512 // 4) ** 2
    return network("resunet"), photo[40:203, 60:301], 168**2


def test_tiles_partition_the_image(case):
    built, image, cells = case
    tiles = list(describe_tiles(built.view(to_tensor(image)), built, cells))
    assert len(tiles) > 1
    covered = np.zeros(image.shape[:2], int)
    for tile in tiles:
        left, top, right, bottom = tile.core
        covered[top:bottom, left:right] += 1
        assert tile.left % built.multiple == tile.top % built.multiple == 0
    assert (covered == 1).all()


def test_tiles_say_what_the_whole_says(case, monkeypatch):
    built, image, cells = case
    pixels = to_tensor(image)
    points = torch.rand(500, 2) * torch.tensor([image.shape[1] - 1.0, image.shape[0] - 1.0])
    points[:2] = torch.tensor([[-0.5, -0.5], [image.shape[1] - 0.5, image.shape[0] - 0.5]])
    whole = corr.extract(image, model=built, max_keypoints=300)
    whole_cells, whole_read = describe_cells(pixels, built), read_points(pixels, built, points)
    monkeypatch.setattr(dense_tiles, "TILE_CELLS", cells)
    tiled = corr.extract(image, model=built, max_keypoints=300)
    # Rounding may swap two keypoints of equal score, and no more.
    order, again = (np.lexsort(found.keypoints.round(1).T) for found in (whole, tiled))
    np.testing.assert_allclose(tiled.keypoints[again], whole.keypoints[order], atol=1e-2)
    np.testing.assert_allclose(tiled.scores, whole.scores, atol=1e-4)
    np.testing.assert_allclose(tiled.descriptors[again], whole.descriptors[order], atol=1e-3)
    torch.testing.assert_close(describe_cells(pixels, built), whole_cells, atol=1e-4, rtol=0)
    torch.testing.assert_close(read_points(pixels, built, points), whole_read, atol=1e-4, rtol=0)


def test_tiles_that_do_not_overlap_differ(case, monkeypatch):
    """The test above could fail."""
    built, image, cells = case
    pixels = to_tensor(image)
    whole = describe_cells(pixels, built)
    monkeypatch.setattr(dense_tiles, "TILE_CELLS", cells)
    monkeypatch.setattr(built, "context", -built.multiple)
    assert (describe_cells(pixels, built) - whole).abs().max() > 1e-2


def test_tiles_that_are_normalised_alone_differ(case, monkeypatch):
    built, image, cells = case
    pixels = to_tensor(image)
    whole = describe_cells(pixels, built)
    normalize, describe = built.normalize, built.describe_normalized
    monkeypatch.setattr(dense_tiles, "TILE_CELLS", cells)
    monkeypatch.setattr(built, "normalize", lambda images: images)
    monkeypatch.setattr(built, "describe_normalized", lambda part: describe(normalize(part)))
    assert (describe_cells(pixels, built) - whole).abs().max() > 1e-3


def test_a_network_without_a_context_sees_the_whole(monkeypatch):
    built = network("light")
    built.context = None
    monkeypatch.setattr(dense_tiles, "TILE_CELLS", 10)
    assert len(list(describe_tiles(torch.rand(1, 1, 90, 70), built))) == 1


PEAK = """
import sys
import numpy as np
import corr
from corr.machine import peak_memory
from corr.models import UniversalCorrespondenceNetwork

network = UniversalCorrespondenceNetwork(sys.argv[1]).eval()
height, width = int(sys.argv[2]), int(sys.argv[3])
image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
corr.extract(image[:64, :64], model=network)
with peak_memory() as peak:
    found = corr.extract(image, model=network)
assert len(found) == 2048
print(peak.num_bytes / 2**20)
"""


def extract_peak(*arguments):
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MALLOC_TRIM_THRESHOLD_": "65536"}
    done = subprocess.run(
        [sys.executable, "-c", PEAK, *map(str, arguments)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
        timeout=600,
    )
    return float(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc")
@pytest.mark.parametrize(
    ("trunk", "height", "width", "limit"), [("light", 3000, 4000, 1200), ("resunet", 640, 800, 600)]
)
def test_peak_of_a_large_image(trunk, height, width, limit):
    """MB beyond the image, 12 megapixels for the light network."""
    assert extract_peak(trunk, height, width) < limit
