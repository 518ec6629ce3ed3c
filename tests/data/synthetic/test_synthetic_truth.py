"""The truth of every view, held against the pictures and against itself."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pixels import nearest, targets, widened
from small import small_config

from corr.data.synthetic.config import (
    SINTEL_MOTION,
    FlowRanges,
    PosedRanges,
    StereoRanges,
    SyntheticConfig,
)
from corr.data.synthetic.layers import columns, gather
from corr.data.synthetic.maps import to_layer, to_view
from corr.data.synthetic.proof import warp_error
from corr.data.synthetic.raster import distance_at
from corr.data.synthetic.samples import pair_of
from corr.data.synthetic.scenes import SyntheticScenes
from corr.data.viewpoints import Viewpoints
from corr.geometry import pixel_grid, sample

VIEWS = ("planar", "stereo", "flow", "posed")
SEEDS = range(3)

GENTLE = Viewpoints(
    max_rotation_deg=60.0, min_zoom=0.92, max_zoom=1.08, max_tilt=1.1, max_perspective=0.1
)
"""Both views show the same detail; of another scale, a plain warp makes blur or aliases."""


TILTED = StereoRanges(vertical_error=2.0)

LARGE = {"height": 256, "width": 256}


@pytest.mark.parametrize("view", VIEWS)
def test_a_warp_brings_the_first_picture_back(scenes_of, view):
    unmoved = []
    for seed in SEEDS:
        pair = pair_of(scenes_of(view, seed, planar=GENTLE, **LARGE).sample(seed))
        assert pair.clear0.float().mean() > 0.7 * (~pair.occluded0).float().mean()
        assert warp_error(pair) < 1.5, f"seed {seed}"
        unmoved.append(warp_error(pair._replace(flow_0to1=torch.zeros_like(pair.flow_0to1))))
    assert np.mean(unmoved) > 8  # or the warp would prove nothing


@pytest.mark.parametrize("view", VIEWS)
def test_clear_is_what_both_pictures_show_alone(scenes_of, view):
    """A clear pixel, and the four around its point, have one and the same layer."""
    pair = pair_of(scenes_of(view, 1, planar=GENTLE, stereo=TILTED).sample(1))
    exact = targets(pair.flow_0to1)[pair.clear0]
    target = exact.floor()
    within = ((exact - exact.round()).abs() > 1e-3).all(-1)  # else some of the four have no weight
    for corner in ((0, 0), (0, 1), (1, 0), (1, 1)):
        there = target + torch.tensor(corner, dtype=torch.float32)
        x, y = there.clamp_min(0).long().unbind(-1)
        shown = pair.layer1[y.clamp_max(95), x.clamp_max(127)]
        inside = (there >= 0).all(-1) & (x < 128) & (y < 96)
        assert (shown == pair.layer0[pair.clear0])[inside & within].all()


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("seed", SEEDS)
def test_forth_and_back_are_inverse(scenes_of, view, seed):
    scenes = scenes_of(view, seed)
    scene = scenes.draw(seed)
    there_and_back(scenes, scene, pair_of(scenes.render([scene])))


SHARE = st.floats(0, 1)
VALUES = st.fixed_dictionaries(
    {
        "view": st.sampled_from(VIEWS),
        "size": st.tuples(st.integers(32, 64), st.integers(32, 80)),
        "lowest": st.integers(0, 8),
        "max_disparity": st.floats(0.01, 0.25),
        "slant": st.floats(0, 0.9),
        "share": SHARE,
        "vertical_error": st.sampled_from([0.0, 3.0]),
        "alike": SHARE,
        "rotation_deg": st.floats(0, 90),
        "zoom": st.floats(1, 2),
        "perspective": st.floats(0, 0.3),
        "parallax": st.floats(0, 0.5),
    }
)


def config_of(values: dict) -> SyntheticConfig:
    """Any view, of any of its ranges."""
    slant, share = values["slant"], values["share"]
    disparity = StereoRanges((0.005, values["max_disparity"]), slant, share)
    motion = (values["alike"], values["rotation_deg"], values["zoom"], values["perspective"])
    return small_config(
        values["view"],
        height=values["size"][0],
        width=values["size"][1],
        num_objects=(values["lowest"], values["lowest"] + 3),
        stereo=replace(disparity, vertical_error=values["vertical_error"]),
        flow=FlowRanges(SINTEL_MOTION, *motion, smooth_share=share),
        posed=PosedRanges(parallax=(0.0, values["parallax"]), slant=slant),
    )


@given(VALUES, st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_the_truth_of_any_config(values, seed):
    """Forth and back are inverse, and stereo is rectified as far as it was asked for."""
    config = config_of(values)
    scenes = SyntheticScenes(config, seed=seed)
    scene = scenes.draw(0)
    found = scenes.render([scene])
    pair = pair_of(found)
    assert all(torch.isfinite(part).all() for part in pair)
    assert not (pair.occluded0 & ~pair.valid0).any()
    if config.view == "stereo":
        assert torch.equal(pair.flow_0to1[:, :1], -found.disparity0)
        assert (pair.flow_0to1[:, 1].abs() <= config.stereo.vertical_error + 1e-3).all()
    there_and_back(scenes, scene, pair)


def there_and_back(scenes: SyntheticScenes, scene, pair) -> None:
    """Each visible point goes back through the map of the other direction, at its very target."""
    layers = gather([scene], scenes.config.size, scenes.silhouettes)
    grid = pixel_grid(*scenes.config.size).reshape(-1, 2)
    target = targets(pair.flow_0to1[0]).reshape(-1, 2)
    visible = (pair.valid0 & ~pair.occluded0).reshape(-1)
    chosen = pair.layer0.reshape(-1).argsort(stable=True)
    chosen = chosen[visible[chosen]]
    for part, own, bent in layers.by_map(pair.layer0.reshape(-1)[chosen], 1):
        index = chosen[part]
        there = columns(layers.maps[1], own)
        u, v, _ = to_layer(there, *target[index].unbind(1), warped=bool(bent))
        x, y = to_view(columns(layers.maps[0], own), u, v, warped=False)
        assert (torch.stack((x, y), 1) - grid[index]).abs().amax() < 0.01


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_stored_fields_are_inverse(scenes_of, view, seed):
    """Where all four pixels around a target show the point's layer, the field there leads back."""
    pair = pair_of(scenes_of(view, seed, planar=GENTLE).sample(seed))
    target = targets(pair.flow_0to1)
    visible = pair.valid0 & ~pair.occluded0
    x, y = target.floor().unbind(-1)
    inside = (
        (x >= 0) & (y >= 0) & (x < pair.flow_0to1.shape[2] - 1) & (y < pair.flow_0to1.shape[1] - 1)
    )
    same = visible & inside
    for dx in (0, 1):
        for dy in (0, 1):
            corner = torch.stack((x + dx, y + dy), -1)
            same &= nearest(pair.layer1, corner) == pair.layer0
    assert same.sum() > 100
    back = sample(pair.flow_1to0[None], target[None].clamp(-1e4, 1e4))[0].permute(2, 0, 1)
    error = (back + pair.flow_0to1).norm(dim=0)[same]
    assert error.mean() < 0.02
    assert error.quantile(0.99) < 0.1


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("seed", SEEDS)
def test_occlusion_is_what_the_other_picture_shows(scenes_of, view, seed):
    """Held against the layers that the other picture shows at its own pixels."""
    pair = pair_of(scenes_of(view, seed).sample(seed))
    for flow, occluded, own, there, edge in (
        (pair.flow_0to1, pair.occluded0, pair.layer0, pair.layer1, pair.edge1),
        (pair.flow_1to0, pair.occluded1, pair.layer1, pair.layer0, pair.edge0),
    ):
        target = targets(flow)
        height, width = occluded.shape
        low = torch.tensor([-0.5, -0.5])
        inside = ((target >= low) & (target <= torch.tensor([width - 0.5, height - 0.5]))).all(-1)
        assert (occluded | inside).all()
        shown = nearest(there, target)
        clear = inside & ~nearest(widened(edge), target)
        assert clear.sum() > 100
        assert (shown == own)[clear & ~occluded].float().mean() > 0.999
        assert (shown > own)[clear & occluded].float().sum() >= 0.999 * (clear & occluded).sum()


@pytest.mark.parametrize("view", VIEWS)
def test_what_covers_is_found_exactly(scenes_of, view):
    """Against every nearer layer's shape at every target, one by one."""
    scenes = scenes_of(view, 3)
    scene = scenes.draw(3)
    pair = pair_of(scenes.render([scene]))
    layers = gather([scene], scenes.config.size, scenes.silhouettes)
    x, y = targets(pair.flow_0to1[0]).reshape(-1, 2).unbind(1)
    height, width = scenes.config.size
    expected = (x < -0.5) | (x > width - 0.5) | (y < -0.5) | (y > height - 0.5)
    for layer in range(1, len(scene.kind)):
        behind = pair.layer0.reshape(-1) < layer
        expected |= behind & (distance_at(layers, 1, layer, x, y) <= 0)
    assert (pair.occluded0.reshape(-1) != expected).sum() <= 2  # float32, at edges
    assert expected.any()
