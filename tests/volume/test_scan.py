import numpy as np
import pytest
import torch

from corr.volume.penalties import Penalties, StepPenalties
from corr.volume.presets import Preset
from corr.volume.readout import read_winners
from corr.volume.scan import read_scan, scan, winners_on
from corr.volume.sgm import sweep

DEVICES = [
    "cpu",
    pytest.param(
        "cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
    ),
]


def _volume(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 63, shape).astype(np.uint8), rng.integers(0, 256, shape[:2], np.uint8)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("num_paths", [4, 8])
@pytest.mark.parametrize("shape", [(7, 9, 5), (1, 6, 3), (6, 1, 4), (5, 4, 1), (20, 30, 33)])
@pytest.mark.parametrize("penalties", [Penalties(), StepPenalties(9, 50, 0.3, 3.0)])
def test_sweeps_equal_those_of_the_cpu_exactly(shape, num_paths, penalties, device):
    cost, guide = _volume(shape)
    expected = sweep(cost, guide, penalties, num_paths=num_paths)
    given = torch.from_numpy(cost.astype(np.int16)), torch.from_numpy(guide)
    found = scan(*(x.to(device) for x in given), penalties, num_paths=num_paths)
    np.testing.assert_array_equal(found.cpu().numpy(), expected)


@pytest.mark.parametrize("subpixel", ["parabola", "equiangular"])
@pytest.mark.parametrize("shape", [(6, 20, 9), (3, 4, 1), (3, 5, 2), (2, 5, 3), (1, 30, 40)])
def test_winners_equal_those_of_the_cpu_exactly(shape, subpixel):
    # Few levels bring many ties.
    sweeps = np.random.default_rng(1).integers(0, 40, (2, *shape)).astype(np.uint16)
    expected = read_winners(sweeps, subpixel)
    found = read_scan(torch.from_numpy(sweeps.astype(np.int16)), subpixel)
    np.testing.assert_array_equal(found.disparity, expected.disparity)
    np.testing.assert_array_equal(found.peak_ratio, expected.peak_ratio)
    np.testing.assert_array_equal(found.right, expected.right)


@pytest.mark.parametrize("device", DEVICES)
def test_the_highest_costs_do_not_wrap_around(device):
    cost = np.random.default_rng(2).integers(0, 8191 - 120, (9, 10, 8)).astype(np.uint16)
    guide = np.random.default_rng(3).integers(0, 256, (9, 10)).astype(np.uint8)
    chosen = Preset("a test", Penalties())
    expected = read_winners(sweep(cost, guide)[:, 2:7], chosen.subpixel)
    found = winners_on(torch.device(device), cost, guide, slice(2, 7), chosen)
    np.testing.assert_array_equal(found.disparity, expected.disparity)
    np.testing.assert_array_equal(found.right, expected.right)
