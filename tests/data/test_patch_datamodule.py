import pickle
import subprocess
import sys
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from corr.data import PatchDataModule, PatchPairs
from corr.data.photos import Photos, find_photos
from corr.errors import DatasetError, OptionError

NO_NETWORK = """
import socket, sys, os
def refuse(*args, **kwargs):
    sys.stderr.write(f"network asked for: {args}")
    os._exit(9)
socket.socket.connect = socket.getaddrinfo = socket.create_connection = refuse
from corr.data import PatchDataModule
data = PatchDataModule(batch_size=16, pairs_per_photo=4, num_val_pairs=16, num_workers=0)
data.setup("fit")
print(next(iter(data.train_dataloader())).anchor.shape, len(data.val_dataloader()))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Quarters of real photographs, small enough to be quick."""
    folder = tmp_path_factory.mktemp("photos")
    train, _ = find_photos()
    for path, photo in zip(train, Photos(train), strict=True):
        cv2.imwrite(str(folder / f"{path.stem}.png"), photo[:200, :220, ::-1])
    return folder


def module(folder, **settings):
    chosen = {
        "batch_size": 24,
        "pairs_per_photo": 6,
        "steps_per_epoch": 3,
        "num_val_pairs": 40,
        "num_workers": 0,
    }
    return PatchDataModule(str(folder), **(chosen | settings))


def equal(first, second):
    sides = zip(first, second, strict=True)
    return all(a is b is None or torch.equal(a, b) for a, b in sides)


def test_a_batch(folder):
    batch = next(iter(module(folder).train_dataloader()))
    assert isinstance(batch, PatchPairs)
    for side in (batch.anchor, batch.positive):
        assert side.shape == (24, 1, 32, 32)
        assert side.dtype == torch.float32
        assert 0 <= side.min() < 0.3 and 0.7 < side.max() <= 1
    assert not torch.equal(batch.anchor, batch.positive)


def test_batches_do_not_depend_on_workers(folder):
    alone, *others = [
        [*data.train_dataloader()] for data in (module(folder, num_workers=n) for n in (0, 1, 2))
    ]
    assert len(alone) == 3
    for other in others:
        assert all(equal(a, b) for a, b in zip(alone, other, strict=True))
    assert not equal(alone[0], alone[1])


def test_resumed_batches_are_those_of_an_uninterrupted_run(folder):
    whole_loader = module(folder).train_dataloader()
    whole = [*whole_loader, *whole_loader]
    first = module(folder, num_workers=1).train_dataloader()
    iterator = iter(first)
    next(iterator), next(iterator)
    second = module(folder).train_dataloader()
    second.load_state_dict(first.state_dict())
    resumed = [*second, *second]
    assert len(resumed) == 4
    assert all(equal(a, b) for a, b in zip(whole[2:], resumed, strict=True))


def test_the_seed_changes_training_but_not_validation(folder):
    first, second = module(folder), module(folder, seed=1)
    assert not equal(next(iter(first.train_dataloader())), next(iter(second.train_dataloader())))
    assert all(
        equal(a, b) for a, b in zip(first.val_dataloader(), second.val_dataloader(), strict=True)
    )


def test_processes_share_what_one_would_see(folder):
    """Two ranks together make the batches of one process with twice the steps."""
    data = module(folder)
    single = [batch.anchor for batch in data.train_dataloader()]
    make = data.train_dataloader().make
    shares = [replace(make, rank=rank, num_ranks=2) for rank in (0, 1)]
    together = [share(step).anchor for step in (0, 1) for share in shares]
    for a, b in zip(single, together[:3], strict=True):
        assert np.array_equal((a[:, 0] * 255).round().byte().numpy(), b)


def test_validation_pairs_are_fixed(folder):
    loader = module(folder, batch_size=16).val_dataloader()
    first, second = [*loader], [*loader]
    assert [len(batch.anchor) for batch in first] == [16, 16, 8]
    assert len(loader) == 3
    assert all(equal(a, b) for a, b in zip(first, second, strict=True))


def test_what_workers_get_can_be_pickled(folder):
    make = module(folder).train_dataloader().make
    again = pickle.loads(pickle.dumps(make))
    assert np.array_equal(again(3).anchor, make(3).anchor)


def test_default_photos_need_no_network():
    command = [sys.executable, "-c", NO_NETWORK]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    assert "torch.Size([16, 1, 32, 32]) 1" in result.stdout


def test_refusals(tmp_path):
    with pytest.raises(OptionError, match="batch_size is 1; use 2 or more"):
        PatchDataModule(batch_size=1)
    with pytest.raises(OptionError, match="num_workers is -1; use 0 or more"):
        PatchDataModule(num_workers=-1)
    with pytest.raises(DatasetError, match="does not exist"):
        PatchDataModule(str(tmp_path / "missing")).setup("fit")
