"""`corr.match_dense`: every place of image 0 found in image 1, between its cells."""

import os
import subprocess
import sys

import numpy as np
import pytest
import skimage.data
import torch
from filter_descriptor import FilterDescriptor

import corr
from corr.errors import ModelError, OptionError
from corr.formats import read_dense_matches, read_flow, to_tensor
from corr.geometry import transform_points, warp_homography
from corr.models import HardNet, UniversalCorrespondenceNetwork
from corr.models.network import DenseDescription
from corr.pipeline.cell_peaks import find_cell_peaks
from corr.pipeline.dense_matching import match_confidence

HOMOGRAPHIES = {
    "shift": [[1.0, 0.0, 5.37], [0.0, 1.0, -3.61], [0.0, 0.0, 1.0]],
    "tilt": [[1.02, 0.03, -4.2], [-0.02, 0.99, 6.3], [1e-4, -5e-5, 1.0]],
}


@pytest.fixture(scope="module")
def photo():
    return np.ascontiguousarray(skimage.data.astronaut()[20:201, 120:363])


def warped(photo, name):
    homography = torch.tensor(HOMOGRAPHIES[name])
    view = warp_homography(to_tensor(photo), homography[None], padding="border")
    return (view[0] * 255).round().byte().permute(1, 2, 0).numpy(), homography


def true_flow(found, homography):
    points = torch.from_numpy(found.points)
    return (transform_points(homography, points.flatten(0, 1)).view_as(points) - points).numpy()


@pytest.mark.parametrize("name", HOMOGRAPHIES)
@pytest.mark.parametrize("stride", [None, 1])
def test_places_between_cells(photo, name, stride):
    """Whole cells of 4 px would be wrong by up to 2 px in x and in y."""
    view, homography = warped(photo, name)
    found = corr.match_dense(photo, view, model=FilterDescriptor(), stride=stride)
    step = stride or 4
    assert found.flow.shape == (-(-181 // step), -(-243 // step), 2)
    truth = true_flow(found, homography)
    target = found.points + found.flow
    whole = np.round((target + 0.5) / 4 - 0.5) * 4 + 1.5
    inside = found.matched & (found.confidence > 0.3)
    inside[: 24 // step] = inside[-24 // step :] = inside[:, : 24 // step] = False
    inside[:, -24 // step :] = False
    assert inside.mean() > 0.4
    error = (found.flow - truth)[inside]
    whole_error = (whole - found.points - truth)[inside]
    size, whole_size = (np.hypot(*part.T) for part in (error, whole_error))
    print(name, step, np.median(size), np.median(whole_size), error.mean(0), size.mean())
    assert np.median(size) < 0.3 * np.median(whole_size)
    assert np.abs(np.median(error, axis=0)).max() < 0.2, "biased"


def test_places_between_known_cells():
    """What is read at a place is found again there, in each of the four directions."""
    torch.manual_seed(0)
    maps = torch.nn.functional.normalize(torch.randn(1, 16, 4, 5), dim=1)
    places = torch.tensor([[2.3, 1.2], [1.6, 1.23], [2.37, 0.9], [1.9, 0.7], [2.0, 1], [0.2, 2.7]])
    read = DenseDescription(maps).read(places[None], 1)[0]
    cells = maps[0].permute(1, 2, 0).contiguous()
    found = find_cell_peaks(read, cells, places.round().long())
    torch.testing.assert_close(found, places, atol=0.02, rtol=0)


def test_cells_that_have_no_neighbours():
    cells = torch.nn.functional.normalize(torch.randn(3, 4, 16), dim=2)
    corners = torch.tensor([[0, 0], [3, 2]])
    for own in corners:
        found = find_cell_peaks(cells[own[1], own[0]][None], cells, own[None])
        assert torch.equal(found[0], own.float())
    noise = torch.nn.functional.normalize(torch.randn(2, 16), dim=1)
    found = find_cell_peaks(noise, cells, corners)
    assert ((found >= 0) & (found <= torch.tensor([3, 2]))).all()
    alone = find_cell_peaks(noise[:1], cells[:1, :1], torch.tensor([[0, 0]]))
    assert alone.tolist() == [[0, 0]]
    for same in (cells[0, 0].expand(3, 3, 16), torch.zeros(3, 3, 16)):
        assert find_cell_peaks(noise[:1], same, torch.tensor([[1, 1]])).tolist() == [[1, 1]]


def test_confidence():
    similarity = torch.tensor([1.0, 0.9, 0.9, 0.9, 0.5, 1.0])
    runner_up = torch.tensor([0.0, 0.8, 0.5, 0.9, -torch.inf, 1.0 - 1e-6])
    expected = [1.0, 0.5, 0.8, 0.0, 0.0, 0.0]
    found = match_confidence(similarity, runner_up)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    grid = torch.linspace(-1, 1, 101)
    table = torch.stack([match_confidence(grid, torch.full_like(grid, r)) for r in grid.tolist()])
    assert (table.diff(dim=0) <= 1e-6).all(), "rises with the runner-up"
    assert (table.diff(dim=1) >= -1e-6).all(), "falls with the similarity"


def test_the_way_back_leaves_out_what_the_other_image_does_not_show(photo):
    """The right half of image 1 is another picture."""
    other = skimage.data.coffee()[100:281, 200:443]
    view = photo.copy()
    view[:, 120:] = other[:, 120:]
    network = FilterDescriptor()
    both, one = (corr.match_dense(photo, view, model=network, mutual=m) for m in (True, False))
    assert one.matched.all() and np.isfinite(one.flow).all()
    assert both.matched[5:-5, 5:24].mean() > 0.95
    assert both.matched[:, 36:].mean() < 0.5
    assert (both.confidence[~both.matched] == 0).all()
    assert np.median(one.confidence[5:-5, 5:24]) > 2 * np.median(one.confidence[:, 36:])
    strict = corr.match_dense(photo, view, model=network, min_score=0.98)
    assert 0 < len(strict) < len(both)


def test_images_of_different_sizes_and_no_overlap(photo):
    network = FilterDescriptor()
    same = corr.match_dense(photo, photo[10:150, 20:200], model=network)
    apart = corr.match_dense(photo, skimage.data.coffee()[100:240, 200:380], model=network)
    assert same.image_size0 == (181, 243) and same.image_size1 == (140, 180)
    inner = same.flow[6:32, 8:45][same.matched[6:32, 8:45]]
    np.testing.assert_allclose(np.median(inner, axis=0), [-20, -10], atol=0.2)
    assert apart.matched.mean() < 0.5 * same.matched.mean()
    confident = [float((found.confidence > 0.7).mean()) for found in (same, apart)]
    print(confident, apart.matched.mean(), same.matched.mean())
    assert confident[1] < 0.2 * confident[0]


def test_what_is_saved_and_drawn(photo, tmp_path):
    view, _ = warped(photo, "shift")
    found = corr.match_dense(photo, view, model=FilterDescriptor())
    for suffix in ("npz", "h5"):
        found.save(tmp_path / f"m.{suffix}")
        read = read_dense_matches(tmp_path / f"m.{suffix}")
        np.testing.assert_array_equal(read["flow"], found.flow)
        np.testing.assert_array_equal(read["confidence"], found.confidence)
        assert int(read["stride"]) == 4 and read["image_size0"].tolist() == [181, 243]
    whole = found.flow_of_pixels()
    assert whole.shape == (181, 243, 2)
    for suffix, atol in (("flo", 0), ("npy", 0), ("png", 1 / 64)):
        found.save(tmp_path / f"f.{suffix}")
        np.testing.assert_allclose(read_flow(tmp_path / f"f.{suffix}"), whole, atol=atol)
    matches = found.to_matches()
    assert len(matches) == len(found) == found.matched.sum()
    assert (np.diff(matches.scores) <= 0).all()
    np.testing.assert_allclose(
        np.median(matches.keypoints1 - matches.keypoints0, axis=0), [5.37, -3.61], atol=0.25
    )
    picture = found.draw(photo, view, tmp_path / "d.png")
    np.testing.assert_array_equal(picture[:181, :243], photo)
    back = picture[:181, 249:492].astype(int)
    seen = np.isfinite(whole).all(2) & (np.arange(243) < 220) & (np.arange(181)[:, None] > 20)
    assert np.abs(back - photo)[seen].mean() < 8
    assert (back[~np.isfinite(whole).all(2)] == 128).all()


@pytest.mark.parametrize("size0", [(1, 1), (8, 8), (1, 60)])
@pytest.mark.parametrize("trunk", ["light", "resunet"])
def test_images_smaller_than_what_the_network_sees(trunk, size0):
    torch.manual_seed(0)
    network = UniversalCorrespondenceNetwork(trunk).eval()
    rng = np.random.default_rng(0)
    small = rng.integers(0, 256, (*size0, 3), np.uint8)
    large = rng.integers(0, 256, (30, 41, 3), np.uint8)
    for pair in ((small, small), (small, large), (large, small)):
        found = corr.match_dense(*pair, model=network, mutual=False)
        assert np.isfinite(found.flow).all() and np.isfinite(found.confidence).all()
        target = found.points + found.flow
        assert (target >= 0).all()
        assert (target <= np.array(pair[1].shape[1::-1]) - 1).all()
        matches = corr.match(*pair, model=network)
        assert np.isfinite(matches.scores).all()
        found.draw(*pair)


def test_textureless_images():
    """Nothing there tells one place from another: at most the border does."""
    torch.manual_seed(0)
    flat = np.full((160, 200, 3), 130, np.uint8)
    for network in (UniversalCorrespondenceNetwork("light").eval(), FilterDescriptor()):
        keypoints = corr.extract(flat, model=network)
        assert np.isfinite(keypoints.descriptors).all()
        assert len(keypoints) < 40
        found = corr.match_dense(flat, flat, model=network)
        print(type(network), len(keypoints), len(found), found.confidence.max())
        assert not np.isnan(found.confidence).any()
        assert (found.confidence > 0.5).mean() < 0.1
        assert found.confidence[12:-12, 12:-12].max() < 0.05


def test_refusals(photo, tmp_path):
    network = FilterDescriptor()
    with pytest.raises(OptionError, match="stride is 0; use 1 px or more"):
        corr.match_dense(photo, photo, model=network, stride=0)
    with pytest.raises(OptionError, match="round_trip_px is -1"):
        corr.match_dense(photo, photo, model=network, round_trip_px=-1.0)
    with pytest.raises(OptionError, match="mutual, which it is for, is off"):
        corr.match_dense(photo, photo, model=network, round_trip_px=4.0, mutual=False)
    with pytest.raises(OptionError, match="min_score is 2"):
        corr.match_dense(photo, photo, model=network, min_score=2.0)
    with pytest.raises(ModelError, match="model 'rootsift' does match and extract, not dense mat"):
        corr.match_dense(photo, photo, model="rootsift")
    with pytest.raises(ModelError, match="model 'nothing' is not known; for dense matching use"):
        corr.match_dense(photo, photo, model="nothing")
    with pytest.raises(ModelError, match="of type HardNet does not describe every place"):
        corr.match_dense(photo, photo, model=HardNet())
    with pytest.raises(ModelError, match=r"'network.yaml' is missing"):
        corr.match_dense(photo, photo, model=tmp_path)


PEAK = """
import resource
import numpy as np
import torch
import corr
from corr.models import UniversalCorrespondenceNetwork

torch.manual_seed(0)
network = UniversalCorrespondenceNetwork().eval()
rng = np.random.default_rng(0)
views = rng.integers(0, 256, (2, 1024, 1024, 3), np.uint8)
found = corr.match_dense(*views, model=network, mutual=True)
assert found.flow.shape == (256, 256, 2)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ru_maxrss is in KiB there")
def test_peak_of_two_images_of_a_megapixel():
    """GB of the whole process. The matrix of all pairs would take 17 GB."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "NUMBA_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PEAK]
    done = subprocess.run(
        command, env=environment, check=True, capture_output=True, text=True, timeout=600
    )
    print(done.stdout)
    assert float(done.stdout) < 2
