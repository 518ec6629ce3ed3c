"""Each view's own geometry: homographies, rectified pairs, poses, and speeds."""

import numpy as np
import pytest
import torch
from pixels import nearest, targets, widened

from corr.data.synthetic.config import SINTEL_MOTION, FlowRanges, StereoRanges
from corr.data.synthetic.maps import to_view
from corr.data.synthetic.samples import pair_of
from corr.geometry import pixel_grid, transform_points


@pytest.mark.parametrize("seed", range(3))
def test_planar_is_its_homography(scenes_of, seed):
    found = scenes_of("planar", seed).sample(0)
    grid = pixel_grid(*found.pair.layer0.shape).reshape(-1, 2)
    expected = transform_points(found.homography_0to1, grid)
    target = targets(found.pair.flow_0to1).reshape(-1, 2)
    near = (expected.abs() < 1000).all(1)
    assert near.float().mean() > 0.5
    assert (target - expected)[near].abs().amax() < 0.01


@pytest.mark.parametrize("seed", range(8))
def test_stereo_is_rectified_and_ordered(scenes_of, seed):
    found = scenes_of("stereo", seed).sample(0)
    pair = found.pair
    assert torch.equal(pair.flow_0to1[:1], -found.disparity0)
    assert torch.equal(pair.flow_1to0[:1], found.disparity1)
    assert (pair.flow_0to1[1] == 0).all()
    assert (pair.flow_1to0[1] == 0).all()
    assert found.disparity0.min() > 0
    assert found.disparity0.max() <= 0.25 * 128 * 1.05
    # What hides a point is nearer than the point.
    target = targets(pair.flow_0to1)
    hidden = pair.occluded0 & (target[..., 0] >= 0) & ~nearest(widened(pair.edge1), target)
    in_front = nearest(found.disparity1[0], target) - found.disparity0[0]
    if hidden.sum() > 30:
        assert (in_front[hidden] > 0).float().mean() > 0.95


def test_a_vertical_error_only_where_it_is_asked_for(scenes_of):
    errors = [
        scenes_of("stereo", stereo=StereoRanges(vertical_error=2.0)).sample(index).pair.flow_0to1[1]
        for index in range(4)
    ]
    assert max(float(error.abs().max()) for error in errors) > 0.2
    assert max(float(error.abs().max()) for error in errors) <= 2.0 + 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_posed_is_the_projection_of_its_depth(scenes_of, seed):
    found = scenes_of("posed", seed).sample(0)
    pair = found.pair
    height, width = pair.layer0.shape
    grid = pixel_grid(height, width).double()
    intrinsics, pose = found.intrinsics.double(), found.pose_0to1.double()
    rays = torch.nn.functional.pad(grid, (0, 1), value=1.0) @ torch.linalg.inv(intrinsics).T
    points = rays * found.depth0[0].double()[..., None]
    moved = points @ pose[:3, :3].T + pose[:3, 3]
    seen = moved @ intrinsics.T
    expected = seen[..., :2] / seen[..., 2:]
    assert (found.depth0 > 0).all()
    assert (targets(pair.flow_0to1) - expected)[pair.valid0].abs().max() < 0.02
    # What hides a point is nearer to the second camera than the point.
    hidden = pair.occluded0 & (expected >= 0).all(-1)
    hidden &= (expected[..., 0] <= width - 1) & (expected[..., 1] <= height - 1)
    hidden &= ~nearest(widened(pair.edge1), expected)
    in_front = nearest(found.depth1[0], expected) < moved[..., 2]
    if hidden.sum() > 30:
        assert in_front[hidden].float().mean() > 0.95


def test_speeds_have_the_distribution_that_was_asked_for(scenes_of):
    """Speeds at the middle of the background, which shows the marginal distribution."""
    scenes = scenes_of("flow", num_objects=(0, 0), height=32, width=32)
    speeds = []
    for index in range(300):
        scene = scenes.draw(index)
        centre = torch.tensor([[0.0], [0.0]])
        table = torch.from_numpy(scene.maps[1])[:, :1]
        x, y = to_view(table, *centre, warped=bool(scene.warped[1, 0]))
        speeds.append(float(torch.hypot(x - 15.5, y - 15.5)))
    for share, speed in SINTEL_MOTION[1:-1]:
        # The smooth motions, which a third have, add up to half of the speed.
        assert abs(np.mean(np.array(speeds) <= speed) - share) < 0.1
    assert max(speeds) > 90


def test_small_motions_stay_small(scenes_of):
    quiet = FlowRanges(speed=((0.0, 0.0), (1.0, 2.0)), alike=0.0)
    for index in range(4):
        flow = pair_of(scenes_of("flow", flow=quiet).sample(index)).flow_0to1
        assert flow.norm(dim=0).quantile(0.95) < 5
