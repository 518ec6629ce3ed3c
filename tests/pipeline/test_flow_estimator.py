"""`corr.flow` by each kind of model, and its options."""

from dataclasses import FrozenInstanceError

import cv2
import numpy as np
import pytest
import skimage.data
import torch
from bounded_flow import BoundedFlow

import corr
from corr.errors import FormatError, ModelError, OptionError
from corr.formats import read_flow, read_image, write_image
from corr.models import HardNet
from corr.pipeline.flow_estimator import FlowEstimator

SHIFT = np.array([5, -3])


@pytest.fixture(scope="module")
def pair():
    """A photograph, and the same moved by `SHIFT`."""
    photo = skimage.data.chelsea()[60:180, 100:270]
    return [
        np.ascontiguousarray(photo[10 - dy : 100 - dy, 10 - dx : 150 - dx])
        for dx, dy in ((0, 0), SHIFT)
    ]


def _error(found):
    return np.median(np.linalg.norm(found.flow[10:-10, 10:-10] - SHIFT, axis=2))


@pytest.mark.parametrize("model", ["dis", "dis-varref", "farneback", "lucas-kanade", "ucn"])
def test_every_model_finds_a_shift(pair, model):
    found = corr.flow(*pair, model=model)
    assert found.flow.shape == (90, 140, 2)
    assert found.flow.dtype == np.float32
    assert _error(found) < 0.3
    np.testing.assert_array_equal(found.occluded, found.confidence == 0)
    assert found.occluded[40, -1]  # its target is outside
    assert found.confidence.max() <= 1


def test_one_direction_knows_no_confidence(pair):
    both, single = (corr.flow(*pair, model="dis", both=way) for way in (True, False))
    np.testing.assert_array_equal(single.flow, both.flow)
    assert np.isnan(single.confidence).all()
    target = np.stack(np.meshgrid(np.arange(140), np.arange(90)), -1) + single.flow
    outside = (target < -0.5).any(2) | (target > [139.5, 89.5]).any(2)
    np.testing.assert_array_equal(single.occluded, outside)


def test_a_network_looks_at_each_frame_once_and_both_ways(pair):
    network = BoundedFlow()
    estimator = FlowEstimator(network)
    first = estimator(*pair)
    assert _error(first) == 0
    assert first.confidence[30:60, 30:100].min() == 1
    assert network.num_looks == 2
    back = estimator(pair[1], pair[0])
    assert network.num_looks == 3
    assert np.median(back.flow[..., 0]) == -SHIFT[0]
    assert FlowEstimator(network, both=False)(*pair).flow.tolist() == first.flow.tolist()


def test_training_goes_on_afterwards(pair):
    network = BoundedFlow().train()
    corr.flow(*pair, model=network)
    assert network.training


@pytest.mark.parametrize(("refine", "share"), [("variational", 0.8), ("lk", 0.5)])
def test_refinement_finds_what_is_between_pixels(refine, share):
    scene = cv2.GaussianBlur(skimage.data.chelsea()[60:260, 100:300], (0, 0), 1.0)
    move = np.float32([[1, 0, 2.4], [0, 1, -1.6]])
    moved = cv2.warpAffine(scene, move, scene.shape[1::-1], flags=cv2.INTER_CUBIC)
    views = [np.ascontiguousarray(view[40:160, 40:160]) for view in (scene, moved)]
    network = BoundedFlow(window=15)
    rough, fine = (corr.flow(*views, model=network, refine=how) for how in ("none", refine))
    network.refine = refine
    np.testing.assert_array_equal(corr.flow(*views, model=network).flow, fine.flow)
    errors = [
        np.median(np.linalg.norm(found.flow[10:-10, 10:-10] - [2.4, -1.6], axis=2))
        for found in (rough, fine)
    ]
    assert errors[0] > 0.5  # whole px
    assert errors[1] < share * errors[0]


def test_large_images_are_solved_in_tiles(pair):
    network = BoundedFlow()
    tiled = corr.flow(*pair, model=network, max_pixels=64 * 64)
    assert network.largest <= 64 * 64
    assert _error(tiled) == 0


MODELS = ["dis", "dis-varref", "farneback", "lucas-kanade", "ucn", "flownetc"]


@pytest.mark.parametrize("model", MODELS)
def test_no_texture_and_no_motion(pair, model):
    blank = np.full((40, 50, 3), 90, np.uint8)
    found = corr.flow(blank, blank, model=model)
    same = corr.flow(pair[0], pair[0], model=model)
    if model != "flownetc":
        assert np.abs(found.flow).max() < 0.01
        assert np.abs(same.flow).mean() < 0.01
        # OpenCV's Farneback moves a few pixels at the border of two equal images.
        assert np.abs(same.flow).max() < (2 if model == "farneback" else 0.05)
        return
    # The network has to guess, but not far; and where it sees nothing it has no confidence.
    assert np.linalg.norm(found.flow, axis=2).max() < 8
    assert found.confidence.mean() < 0.2
    assert np.linalg.norm(same.flow, axis=2).mean() < 0.5
    assert np.linalg.norm(same.flow, axis=2).max() < 3


@pytest.mark.parametrize("refine", [None, "variational", "lk"])
@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 30), (30, 1), (3, 3)])
def test_tiny_images(model, shape, refine):
    views = np.random.default_rng(0).integers(0, 256, (2, *shape, 3), dtype=np.uint8)
    found = corr.flow(*views, model=model, refine=refine)
    assert found.flow.shape == (*shape, 2)
    assert np.linalg.norm(found.flow, axis=2).max() < 40
    assert found.occluded.shape == found.confidence.shape == shape
    if model != "flownetc":
        black = np.zeros((*shape, 3), np.uint8)
        assert np.abs(corr.flow(black, black, model=model, refine=refine).flow).max() < 1e-3


def test_paths_arrays_and_tensors_are_one(pair, tmp_path):
    wanted = corr.flow(*pair, model="dis").flow
    write_image(tmp_path / "a.png", pair[0])
    tensor = torch.from_numpy(pair[1]).permute(2, 0, 1).float() / 255
    for first in (tmp_path / "a.png", str(tmp_path / "a.png"), pair[0]):
        np.testing.assert_array_equal(corr.flow(first, tensor, model="dis").flow, wanted)


def test_results_are_frozen_and_save_themselves(pair, tmp_path):
    found = corr.flow(*pair)
    with pytest.raises(FrozenInstanceError):
        found.flow = None
    for name in ("f.flo", "f.npy", "f.png"):
        found.save(tmp_path / name)
        np.testing.assert_allclose(read_flow(tmp_path / name), found.flow, atol=1 / 128)
    assert found.draw(tmp_path / "d.png").shape[0] > 90
    assert (read_image(tmp_path / "d.png") == found.draw()).all()
    found.draw_warped(pair[1], tmp_path / "w.png")
    with pytest.raises(FormatError, match=r"use \.flo, \.npy or \.png"):
        found.save(tmp_path / "f.pfm")


def test_what_is_refused(pair):
    with pytest.raises(ModelError, match="HardNet does not do flow; use one of dis"):
        corr.flow(*pair, model=HardNet())
    with pytest.raises(OptionError, match="max_pixels"):
        corr.flow(*pair, model=BoundedFlow(), max_pixels=10)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same(pair):
    there, here = (corr.flow(*pair, model=BoundedFlow(), device=d) for d in ("cuda", "cpu"))
    np.testing.assert_allclose(there.flow, here.flow, atol=1e-3)
