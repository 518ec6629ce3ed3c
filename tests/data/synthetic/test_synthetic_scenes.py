"""A sample is a pure function of seed, config and index, on any worker count and device."""

import hashlib
import pickle
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from small import small_config

from corr.data.synthetic.config import AppearanceRanges, Surfaces, SyntheticConfig
from corr.data.synthetic.datamodule import SyntheticDataModule
from corr.data.synthetic.layers import Layers
from corr.data.synthetic.samples import pair_of

VIEWS = ("planar", "stereo", "flow", "posed")
FULL = {"first": AppearanceRanges(), "second": AppearanceRanges()}


def flat(sample) -> list[torch.Tensor]:
    return [
        tensor for part in sample for tensor in (flat(part) if isinstance(part, tuple) else [part])
    ]


def equal(first, second) -> bool:
    return all(map(torch.equal, flat(first), flat(second)))


@pytest.mark.parametrize("view", VIEWS)
def test_the_order_of_samples_does_not_matter(scenes_of, view):
    scenes = scenes_of(view, **FULL)
    once = [scenes.sample(index) for index in (0, 1, 2)]
    again = [scenes_of(view, **FULL).sample(index) for index in (2, 0, 1)]
    assert equal(once[0], again[1])
    assert equal(once[1], again[2])
    assert equal(once[2], again[0])
    assert not equal(once[0], once[1])
    assert not equal(once[0], scenes_of(view, seed=1, **FULL).sample(0))
    stacked = scenes.batch([1, 2])
    assert all(
        torch.equal(rows[1], one) for rows, one in zip(flat(stacked), flat(once[2]), strict=True)
    )


def test_another_process_draws_the_same(scenes_of):
    code = (
        "from corr.data.synthetic.config import Surfaces, SyntheticConfig\n"
        "from corr.data.synthetic.scenes import SyntheticScenes\n"
        "c = SyntheticConfig('stereo', 96, 128, surfaces=Surfaces(num_tiles=14))\n"
        "s = SyntheticScenes(c, seed=5)\n"
        "import hashlib\n"
        "hashes = [hashlib.sha256(t.numpy().tobytes()).hexdigest() for t in s.sample(7).pair]\n"
        "print(s.digest, *hashes)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    config = SyntheticConfig()
    scenes = scenes_of("stereo", 5, first=config.first, second=config.second)
    pair = scenes.sample(7).pair
    hashes = [hashlib.sha256(tensor.numpy().tobytes()).hexdigest() for tensor in pair]
    assert done.stdout.split() == [scenes.digest, *hashes]


@pytest.mark.filterwarnings("ignore:This DataLoader will create:UserWarning")  # on one core
@pytest.mark.parametrize("num_workers", [0, 1, 2])
def test_batches_do_not_depend_on_the_workers(num_workers):
    module = SyntheticDataModule(
        small_config("flow", **FULL),
        batch_size=2,
        steps_per_epoch=3,
        num_workers=num_workers,
        seed=3,
    )
    module.setup()
    scenes = module._scenes(3)
    loader = module.train_dataloader()
    first, second = list(loader), list(loader)
    assert equal(first[2], scenes.batch([4, 5]))
    assert equal(second[0], scenes.batch([6, 7]))
    resumed = module.train_dataloader()
    resumed.load_state_dict({"num_handed_out": 2})
    assert equal(next(iter(resumed)), first[2])


def test_scenes_may_be_drawn_by_workers_and_rendered_elsewhere():
    """As for a GPU: what a worker sends is a few kilobytes, and the same batch comes of it."""
    counts = {"batch_size": 2, "steps_per_epoch": 2, "num_workers": 1}
    module = SyntheticDataModule(small_config("posed", **FULL), **counts)
    module.setup()
    module._train.device = torch.device("meta")  # not the CPU, where the worker would render
    found = list(module.train_dataloader())
    assert equal(found[1], module._scenes(0).render([module._train.draw(at) for at in (2, 3)]))
    assert len(pickle.dumps(module._train.draw(0))) < 100_000


def test_validation_is_the_same_again_and_not_trained_on():
    module = SyntheticDataModule(small_config("planar"), num_val_samples=3, batch_size=2, seed=3)
    module.setup()
    loader = module.val_dataloader()
    once, again = list(loader), list(loader)
    assert len(loader) == len(once) == 2
    assert all(map(equal, once, again))
    assert len(once[1].homography_0to1) == 1
    trained = module._scenes(3).sample(0)
    assert not torch.equal(once[0].pair.image0[0], trained.pair.image0)


@pytest.mark.parametrize("view", VIEWS)
def test_all_layers_at_once_give_the_same(scenes_of, view, monkeypatch):
    """What runs on a GPU, here on the CPU: a batch of scenes, parameters for each point."""
    scenes = scenes_of(view, **FULL)
    drawn = [scenes.draw(index) for index in (0, 1, 2)]
    one_by_one = scenes.batch([0, 1, 2])
    monkeypatch.setattr(Layers, "one_by_one", property(lambda self: False))
    at_once = scenes.render(drawn)
    for first, second in zip(flat(one_by_one), flat(at_once), strict=True):
        difference = (first.double() - second.double()).abs()
        assert difference.mean() < (1e-3 if first.dtype == torch.float32 else 1e-4)
        assert (difference > 0.02).double().mean() < 1e-3


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("view", VIEWS)
def test_another_device_makes_the_same_picture(scenes_of, view):
    """Within 0.5 grey levels in the mean; single pixels at edges may differ by more."""
    scenes = scenes_of(view, **FULL)
    other = type(scenes)(scenes.config, device="cuda")
    found, expected = other.batch([0, 1, 2, 3]), scenes.batch([0, 1, 2, 3])
    for first, second in zip(pair_of(found)[:4], pair_of(expected)[:4], strict=True):
        assert (first.cpu() - second).abs().mean() < 0.5 / 255 * max(
            1.0, float(second.abs().mean())
        )


def test_the_digest_names_all_that_matters(scenes_of):
    def digest(seed: int = 0, **changes: object) -> str:
        return small_config("flow", **changes).digest(seed, "photos")

    others = [
        digest(1),
        digest(height=97),
        digest(second=AppearanceRanges(noise=(0.0, 0.03))),
        digest(surfaces=Surfaces(num_tiles=15)),
        small_config("flow").digest(0, "other photos"),
    ]
    assert digest() == digest()
    assert len({digest(), *others}) == 1 + len(others)
    assert scenes_of("flow").digest == scenes_of("flow").digest


def test_second_views_share_the_first(scenes_of):
    scenes = scenes_of("planar", **FULL)
    one, two = scenes.sample(0), scenes.sample(0, second=1)
    assert torch.equal(one.pair.image0, two.pair.image0)
    assert not torch.equal(one.pair.image1, two.pair.image1)
    assert not torch.equal(one.homography_0to1, two.homography_0to1)


@pytest.mark.parametrize("view", VIEWS)
def test_shapes_and_types(scenes_of, view):
    sample = scenes_of(view, height=33, width=47, **FULL).sample(0)
    pair = pair_of(sample)
    for image in (pair.image0, pair.image1):
        assert image.shape == (3, 33, 47)
        assert image.dtype == torch.float32
        assert torch.equal((image * 255).round() / 255, image) or torch.allclose(
            (image * 255).round() / 255, image, atol=1e-6
        )
        assert image.min() >= 0
        assert image.max() <= 1
    assert all(torch.isfinite(part).all() for part in flat(sample))


def test_no_photographs_at_all(scenes_of):
    scenes = scenes_of("flow", surfaces=replace(Surfaces(num_tiles=14), photo_share=0.0))
    assert scenes.num_photos == 0
    assert pair_of(scenes.sample(0)).image0.std() > 0.02


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_does_not_grow(scenes_of):
    scenes = scenes_of("flow", height=64, width=64, num_objects=(6, 8), **FULL)
    for index in range(10):
        scenes.sample(index)
    before = resident_bytes()
    for index in range(10, 50):
        scenes.sample(index)
    assert resident_bytes() - before < 8 * 2**20  # the tensors of 40 samples take 10 MiB


def test_counts_of_objects(scenes_of):
    counts = [len(scenes_of("flow").draw(index).kind) - 1 for index in range(60)]
    assert min(counts) >= 6
    assert max(counts) <= 30
    assert np.ptp(counts) > 12
